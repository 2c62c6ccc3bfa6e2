"""Jobs: trials that share a compiled program, how they are shared out, and what a worker does."""

import functools
import heapq
import math
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from benchmarks.learning.experiment import Experiment
from benchmarks.learning.lanes import BlockResult, Lanes, Run, beginning
from benchmarks.learning.states import NONE, State
from benchmarks.running.workers import Broken, Call

Job = list[Run]  # trials that share a recipe

HALVINGS = 4  # this often the lanes of a job are halved for want of memory: 16 are then one
DEATHS = 3  # so many workers may die at a job without having finished a block of it

LEAST_PAUSE, MOST_PAUSE = 1.0, 30.0  # seconds between two states that a worker sends
SHARE = 0.01  # of its time, for which it may take and send them

TURN = 30.0
"""Seconds after which a call ends if trials wait for a lane there: idle workers may take some.

The next call goes on with what is compiled, after half a second.
"""

Sent = tuple[list[tuple[str, tuple]], State | None]
"""What a worker sends of a block: digests of experiments and what else a result has, and a state.

No experiments: a class that is sent would take the place of the original.
"""


@dataclass
class Part:
    """A job, or a part of one, as a single worker trains it.

    Attributes:
        seed: of the run.
        runs: trials that are not finished.
        state: the latest that is known of them.
        halvings: how often its lanes were halved for want of memory.
        deaths: workers that have died at it since the latest block.
        keep_weights: whether results have the weights of trained networks.
        seen, seconds: of unfinished trials, as results have told them, by experiment.
    """

    seed: int
    runs: list[Run]
    state: State = NONE
    halvings: int = 0
    deaths: int = 0
    keep_weights: bool = False
    seen: Counter[Experiment] = field(default_factory=Counter)
    seconds: Counter[Experiment] = field(default_factory=Counter)

    @property
    def names(self) -> list[str]:
        """Experiments that it has trials of."""
        return list(dict.fromkeys(run.experiment.name for run in self.runs))

    def __str__(self) -> str:
        return f"{', '.join(self.names)} ({len(self.runs)} trials)"

    def call(self) -> Call:
        """What a worker has to do: train what is left of it."""
        return functools.partial(
            _train,
            self.seed,
            self.runs,
            self.state,
            self.halvings,
            self.keep_weights,
            LEAST_PAUSE,
            TURN,
        )

    def shared(self, idle: int) -> list["Part"]:
        """Gives trials that have not begun to so many idle workers; returns the parts for them."""
        begun = set(self.state.keys)
        waiting = [run for run in self.runs if run.key not in begun]
        own = math.ceil(len(self.runs) / (idle + 1))
        given = waiting[max(0, own - len(begun)) :]
        keys = {run.key for run in given}
        self.runs = [run for run in self.runs if run.key not in keys]
        return [
            replace(self, runs=runs, state=NONE, deaths=0, seen=Counter(), seconds=Counter())
            for i in range(idle)
            if (runs := given[i::idle])
        ]

    def follow(self, sent: Sent) -> list[BlockResult]:
        """Takes note of what a worker has sent, and returns it as results."""
        results, state = sent
        self.deaths = 0 if results else self.deaths
        known = {run.experiment.digest: run.experiment for run in self.runs}
        found = [BlockResult(known[digest], *rest) for digest, rest in results]
        found = found or self._anew()
        for each in found:
            self.seen[each.experiment] += each.seen - sum(row["seen"] for row in each.rows)
            self.seconds[each.experiment] += each.seconds - sum(r["seconds"] for r in each.rows)
        done = {(row["digest"], row["trial"]) for each in found for row in each.rows}
        if done:
            self.runs = [run for run in self.runs if run.key not in done]
        if state is not None or done:
            old = self.state if state is None else state
            self.state = old.only({run.key for run in self.runs})
        return found

    def _anew(self) -> list[BlockResult]:
        """What is known of the trials when a worker begins, less what has been told already.

        It is below zero if a dead worker was further than the latest state.
        """
        return [
            each._replace(
                seen=each.seen - self.seen[each.experiment],
                seconds=each.seconds - self.seconds[each.experiment],
            )
            for each in beginning(self.runs, self.state)
        ]

    def goes_on(self, broken: Broken) -> bool:
        """Whether another worker shall go on with it, in fewer lanes if memory was short."""
        self.deaths += broken.died
        self.halvings += broken.memory
        if broken.memory:
            return self.halvings <= HALVINGS
        return broken.died and self.deaths < DEATHS

    def how_it_goes_on(self, broken: Broken) -> str:
        """What follows, for a person."""
        if broken.memory:
            return "goes on in half as many lanes; last bits of its rows may be others"
        return "goes on from its latest state"


def _train(
    seed: int,
    runs: list[Run],
    state: State,
    halvings: int,
    keep_weights: bool,
    pause: float,
    turn: float,
) -> Iterator[Sent]:
    """In a worker: trains trials block by block.

    Between two states is at least the pause. After the turn it ends with one if trials still wait.
    """
    yield [], None
    lanes = Lanes(seed, runs, state, halvings, keep_weights)  # compiles
    began = time.monotonic()
    due = began + pause
    while lanes.busy:
        results = [(each.experiment.digest, each[1:]) for each in lanes.block()]
        now = time.monotonic()
        over = lanes.waiting and now >= began + turn
        if now < due and not over:
            yield results, None
            continue
        yield results, lanes.state()
        if over:
            return
        took = time.monotonic() - now
        due = time.monotonic() + min(max(pause, took / SHARE), MOST_PAUSE)


def grouped(to_run: dict[Experiment, list[Run]]) -> list[Job]:
    """Trials by recipe: what shares a program is one job.

    The most work first, so that at the end no worker waits long for another.
    """
    jobs: dict[tuple, Job] = {}
    for experiment, runs in to_run.items():
        numbers = tuple(experiment.settings.given())  # their names; values are data
        jobs.setdefault((experiment.recipe, experiment.data_sets, numbers), []).extend(runs)
    return sorted(jobs.values(), key=_most_steps, reverse=True)


def _most_steps(job: Job) -> int:
    """Steps of all trials if each uses its whole budget."""
    recipe = job[0].experiment.recipe
    return len(job) * recipe.most_steps


def by_compiler(jobs: list[Job]) -> Iterator[tuple[bool, list[Job]]]:
    """Jobs that want loops compiled as wholes, a setting of the process, apart from the others."""
    for loops in (False, True):
        chosen = [job for job in jobs if (job[0].experiment.recipe.learner.batch == 1) == loops]
        if chosen:
            yield loops, chosen


def split(jobs: list[Job], workers: int) -> list[Job]:
    """With fewer jobs than workers, a part for each worker, as equal as can be, the largest first.

    Each part compiles its program anew; a trial does not depend on its company.
    """
    work, counts = [_most_steps(job) for job in jobs], [1] * len(jobs)
    heap: list[tuple[float, int]] = [
        (-steps, i) for i, steps in enumerate(work) if len(jobs[i]) > 1
    ]
    heapq.heapify(heap)
    while heap and sum(counts) < workers:
        _, i = heap[0]
        counts[i] += 1
        if counts[i] < len(jobs[i]):
            heapq.heapreplace(heap, (-work[i] / counts[i], i))
        else:
            heapq.heappop(heap)
    parts = [job[i::count] for job, count in zip(jobs, counts, strict=True) for i in range(count)]
    return sorted(parts, key=_most_steps, reverse=True)
