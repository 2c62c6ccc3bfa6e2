"""One job: trials that share a recipe, from their keys to finished rows, block by block.

A fixed number of lanes trains side by side. When a lane's trial is finished, its row is written
and the next waiting trial takes the lane, so that a slow trial does not hold the others up.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from benchmarks.learning import curves
from benchmarks.learning.experiment import Experiment, describe
from benchmarks.learning.program import (
    INSPECT,
    OUTCOMES,
    RUNNING,
    SOLVED,
    SPENT,
    TEST,
    TEST_GROUP,
    Drawn,
    Program,
    Setup,
    Trial,
    setups,
)
from benchmarks.learning.provenance import provenance
from benchmarks.learning.select import program
from benchmarks.learning.states import NONE, Key, State, joined
from tasks.sequence import Growing, Verdict

FEW_FIRST_FROM, FEW = 300, 32
"""Of sequences with so many steps, an inspection judges a few first; most trials fail on them."""


@dataclass(frozen=True)
class Run:
    """One trial that is to be run: number `index` of an experiment."""

    experiment: Experiment
    index: int

    @property
    def key(self) -> Key:
        """Which trial it is, whatever the seed."""
        return self.experiment.digest, self.index


class BlockResult(NamedTuple):
    """What has happened to the trials of one experiment in a block.

    Attributes:
        experiment: whose trials.
        seen: training sequences that they saw.
        seconds: how long that took, the experiment's share of the block.
        rows: rows of those that have finished.
        points: the points of their learning curves.
        weights: those of their trained networks by name, if they are to be kept.
    """

    experiment: Experiment
    seen: int
    seconds: float
    rows: list[dict]
    points: list[dict]
    weights: Sequence[dict[str, np.ndarray]] = ()


def beginning(runs: list[Run], state: State = NONE) -> list[BlockResult]:
    """What is known of trials before they are trained: how far those with a state have come."""
    place = {key: i for i, key in enumerate(state.keys)}
    results: dict[Experiment, BlockResult] = {}
    for run in runs:
        old = results.get(run.experiment, BlockResult(run.experiment, 0, 0.0, [], []))
        if (i := place.get(run.key)) is not None:
            seen, seconds = int(state.seen[i]), float(state.seconds[i])
            old = old._replace(seen=old.seen + seen, seconds=old.seconds + seconds)
        results[run.experiment] = old
    return list(results.values())


class Block(NamedTuple):
    """What a block of training did.

    Attributes:
        verdicts: those of the inspection at its end, `[lane, sequence]`.
        progress: training sequences that each lane saw.
        seconds: each lane's share of the time.
    """

    verdicts: Verdict
    progress: np.ndarray
    seconds: np.ndarray


class Lanes:
    """The lanes, and the trials that wait for them."""

    def __init__(
        self,
        seed: int,
        runs: list[Run],
        state: State = NONE,
        halvings: int = 0,
        keep_weights: bool = False,
    ):
        """Compiles what the trials need, and starts the first of them.

        Args:
            seed: seed of the run.
            runs: trials of experiments with one recipe.
            state: of those among them that go on from where they were; they come first.
            halvings: of the lanes, for want of memory; rows are then others in their last bits.
            keep_weights: whether results have the weights of trained networks.
        """
        self.seed, self.saved, self.keep_weights = seed, state, keep_weights
        resumed = set(state.keys)
        self.waiting = sorted(runs, key=lambda run: run.key not in resumed)[::-1]
        self.recipe, self.data_sets = runs[0].experiment.recipe, runs[0].experiment.data_sets
        self.run = program(self.recipe)
        self.source = self.run.source
        count = self._wanted(self.run.lanes(len(runs)), len(runs), self.recipe.budget)
        count = max(1, count >> halvings)
        self.updates = self.run.updates_per_call()
        self.lanes: list[Run | None] = [None] * count
        self.idle = Run(runs[0].experiment, 0)  # what an unused lane is a frozen copy of
        self.seconds = np.zeros(count)
        self.chunk = self.recipe.inspect_every * self.recipe.learner.batch
        self.kept = curves.kept(self.recipe.budget // self.chunk)
        self.points: list[list[dict]] = [[] for _ in range(count)]
        self.setup: Setup
        self.trials: Trial
        self.sets: Any = None  # of a finite task: training and test sets
        self._fill()
        self._compile()

    @property
    def busy(self) -> bool:
        """Whether any trial is still to be finished."""
        return any(self.lanes)

    @property
    def _runs(self) -> list[Run]:
        """What each lane holds, a copy of `idle` where it is unused."""
        return [lane or self.idle for lane in self.lanes]

    def state(self) -> State:
        """What goes on from here: the trials in the lanes, and those that wait with a state."""
        busy = [i for i, lane in enumerate(self.lanes) if lane]
        mine = State(
            [lane.key for lane in self.lanes if lane],
            [np.asarray(leaf)[busy] for leaf in jax.tree.leaves(self.trials)],
            np.asarray(self.trials.seen)[busy],
            self.seconds[busy],
            [list(self.points[i]) for i in busy],
        )
        return joined([mine, self.saved])

    def _restore(self, lanes: list[int]) -> None:
        """Takes trials that have just got these lanes to the states that they were saved with."""
        place, runs = {key: i for i, key in enumerate(self.saved.keys)}, self._runs
        from_saved = {i: place[runs[i].key] for i in lanes if runs[i].key in place}
        if not from_saved:
            return
        here, there = list(from_saved), list(from_saved.values())
        leaves, structure = jax.tree.flatten(self.trials)
        leaves = [np.array(leaf) for leaf in leaves]  # copies: the originals are given away
        for leaf, saved in zip(leaves, self.saved.leaves, strict=True):
            leaf[here] = saved[there]
        self.trials = jax.tree.unflatten(structure, [jnp.array(leaf) for leaf in leaves])
        self.seconds[here] = self.saved.seconds[there]
        for lane, i in from_saved.items():
            self.points[lane] = list(self.saved.points[i])
        self.saved = self.saved.only(place.keys() - {runs[i].key for i in here})

    def _compile(self) -> None:
        """Compiles what a block needs, so that no trial's time includes it."""
        self.run.train.lower(self.setup, self.trials, self._training()).compile()
        self.run.inspect.lower(self.trials, self._inspection()).compile()

    def block(self) -> list[BlockResult]:
        """Trains all lanes up to their next inspection, which it holds, and refills free ones."""
        return self.collect(self.advance())

    def advance(self) -> Block:
        """Trains all lanes up to their next inspection, which it holds."""
        began, before = time.perf_counter(), np.asarray(self.trials.seen)
        for _ in range(self.recipe.inspect_every // self.updates):
            self.trials = self.run.train(self.setup, self.trials, self._training())
        verdicts = self._inspection()
        self.trials = self.run.inspect(self.trials, verdicts)
        progress = np.asarray(self.trials.seen) - before
        shares = (time.perf_counter() - began) * progress / max(progress.sum(), 1)
        self.seconds += shares
        return Block(verdicts, progress, shares)

    def collect(self, block: Block) -> list[BlockResult]:
        """Results of what `advance` returned; finished trials make room for waiting ones."""
        running = np.asarray(self.trials.outcome) == RUNNING
        done = [i for i, lane in enumerate(self.lanes) if lane and not running[i]]
        self._keep(block.verdicts, done)
        results = self._results(block, done)
        if done:
            self.lanes = [None if i in done else lane for i, lane in enumerate(self.lanes)]
            self._fill()
            self._narrow()
        return results

    def _wanted(self, lanes: int, trials: int, sequences: int) -> int:
        """How many lanes go on if so many trials are left, with at most so many sequences each."""
        return self.run.lanes_at_the_end(lanes, trials, sequences * self.recipe.task.steps)

    def _narrow(self) -> None:
        """Goes on with fewer lanes where so few trials are left that these are faster."""
        first = np.argsort([lane is None for lane in self.lanes], stable=True)
        seen = [int(self.trials.seen[i]) for i in first if self.lanes[i]]
        if not seen:
            return
        kept = first[: self._wanted(len(self.lanes), len(seen), self.recipe.budget - min(seen))]
        if len(kept) == len(self.lanes):
            return
        self.lanes, self.points = [self.lanes[i] for i in kept], [self.points[i] for i in kept]
        self.trials, self.setup, self.sets, self.seconds = jax.tree.map(
            lambda leaf: leaf[kept], (self.trials, self.setup, self.sets, self.seconds)
        )
        self._compile()

    def _keep(self, verdicts: Verdict, done: list[int]) -> None:
        """Adds a point to the curves of trials that are done or at an inspection that is kept."""
        seen = np.asarray(self.trials.seen)
        here = [i for i, kept in enumerate(self._kept_here(seen)) if kept or i in done]
        if not here or not self.run.curves:
            return
        if not self.source.finite:  # of fresh sequences, these are judged whatever trains beside it
            verdicts = jax.tree.map(lambda a: a[:, :TEST_GROUP], verdicts)
        level = jax.device_get(self.recipe.criterion.level(self.trials.criterion, verdicts))
        runs = self._runs
        for lane in here:
            point = {
                "digest": runs[lane].experiment.digest,
                "seed": self.seed,
                "trial": runs[lane].index,
                "sequences": int(seen[lane]),
                "wrong": round(float(level.wrong[lane]), 3),
                "error": round(float(level.error[lane]), 4),
            }
            self.points[lane].append(point)

    def _kept_here(self, seen: np.ndarray) -> list[bool]:
        """Which lanes' trials have a point of their curves where they are."""
        there = zip(self.lanes, seen // self.chunk, strict=True)
        return [lane is not None and inspections in self.kept for lane, inspections in there]

    def _results(self, block: Block, done: list[int]) -> list[BlockResult]:
        results: dict[Experiment, BlockResult] = {}
        for run, seen, seconds in zip(self.lanes, block.progress, block.seconds, strict=True):
            if run:
                old = results.get(run.experiment, BlockResult(run.experiment, 0, 0.0, [], []))
                results[run.experiment] = old._replace(
                    seen=old.seen + int(seen), seconds=old.seconds + float(seconds)
                )
        runs = self._runs
        for lane, row in zip(done, self._rows(done) if done else [], strict=True):
            mine = results[runs[lane].experiment]
            mine.rows.append(row)
            mine.points.extend(self.points[lane])
            if self.keep_weights:
                kept = (*mine.weights, named(self.trials.params, lane))
                results[mine.experiment] = mine._replace(weights=kept)
        return list(results.values())

    def _fill(self) -> None:
        """Gives every free lane the next waiting trial; a lane that gets none stays frozen."""
        free = np.array([lane is None for lane in self.lanes])
        for lane in np.flatnonzero(free):
            self.lanes[lane] = self.waiting.pop() if self.waiting else None
            self.points[lane] = []
        runs = self._runs
        indices, which = [run.index for run in runs], [run.experiment for run in runs]
        rates, settings = [each.rate for each in which], [each.settings for each in which]
        self.setup = setups(self.seed, indices, rates, self.data_sets, settings)
        self.seconds[free] = 0
        fresh = self.run.start(self.setup)
        idle = np.array([lane is None for lane in self.lanes])
        fresh = fresh._replace(outcome=jnp.where(idle, jnp.int8(SPENT), fresh.outcome))
        self.trials = fresh if free.all() else self.run.merge(free, fresh, self.trials)
        self._restore([i for i, lane in enumerate(self.lanes) if lane and free[i]])
        if self.source.finite:
            self.sets = self.source.sets(self.setup.sets_key)

    def _training(self) -> Drawn:
        """Training sequences of the next call."""
        count = self.updates * self.recipe.learner.batch
        return self.source.training(self.setup.key, self.trials.seen, count, self.sets)

    def _inspection(self) -> Verdict:
        """Verdicts `[lane, size]` that the criteria look at: fresh sequences, or both finite sets.

        They are judged a group at a time. Once every running trial has more wrong than it may
        have, its fate is sealed, and the rest are called wrong without a look; but a learning curve
        shows all of finite sets.
        """
        criteria = [c for c in (self.recipe.criterion, self.recipe.milestone) if c and c.inspection]
        if not criteria:
            return _wrong(len(self.lanes), 0)
        size = max(c.inspection for c in criteria)
        wrong_at_most = max(c.wrong_at_most for c in criteria)
        running = np.array([lane is not None for lane in self.lanes])
        groups, wrong, shown = [], np.zeros(len(running), int), self._shown()
        for group in self.sets if self.source.finite else self._groups(size, shown):
            groups.append(self.run.verdicts(self.trials, group))
            wrong += np.asarray(groups[-1].wrong).sum(1)
            if (wrong[running] > wrong_at_most).all() and not (shown and self.source.finite):
                break
        absent = max(0, size - sum(each.wrong.shape[1] for each in groups))
        groups.append(_wrong(len(running), absent))
        return jax.tree.map(lambda a: a[:, :size], _join(groups))

    def _groups(self, size: int, shown: bool) -> Iterator[Drawn]:
        """Fresh sequences of an inspection, in groups; a curve's point takes a whole first one."""
        first = self.trials.seen * max(1, -(-size // self.chunk))  # no inspection repeats another's
        count = TEST_GROUP if shown or self.recipe.task.steps < FEW_FIRST_FROM else FEW
        while size > 0:
            yield self.source.tests(self.setup.key, INSPECT, first, count)
            first, size, count = first + count, size - count, TEST_GROUP

    def _shown(self) -> bool:
        """Whether a learning curve has a point here."""
        seen, outcome = jax.device_get((self.trials.seen, self.trials.outcome))
        ends = (outcome != RUNNING) | (seen >= self.recipe.budget)
        here = [lane and end for lane, end in zip(self.lanes, ends, strict=True)]
        return any(here) or any(self._kept_here(seen))

    def _test(self, done: list[int]) -> Verdict:
        """Verdicts `[done, n]` on the test set: a finite task's own, else fresh sequences."""
        if self.source.finite:
            verdicts = jax.device_get(self.run.verdicts(self.trials, self.sets[1]))
            return jax.tree.map(lambda a: a[done], verdicts)
        return self._fresh_test(self.run, done, self.recipe.test_size)

    def _fresh_test(self, run: Program, done: list[int], size: int) -> Verdict:
        """Verdicts `[done, size]` of these lanes' networks on fresh sequences of a program's task.

        Groups of sequences share the lanes, whoever trains there.
        """
        lanes, trials = len(self.lanes), jax.device_get(self.trials)
        turns = np.array([(lane, first) for lane in done for first in range(0, size, TEST_GROUP)])
        groups = []
        for start in range(0, len(turns), lanes):
            lane, first = np.resize(turns[start : start + lanes], (lanes, 2)).T
            group = run.source.tests(self.setup.key[lane], TEST, first, TEST_GROUP)
            mine = jax.tree.map(lambda leaf, lane=lane: leaf[lane], trials)
            groups.append(jax.device_get(run.verdicts(mine, group)))
        joined = jax.tree.map(lambda *parts: np.concatenate(parts)[: len(turns)], *groups)
        return jax.tree.map(lambda a: a.reshape(len(done), -1)[:, :size], joined)

    def _rows(self, done: list[int]) -> list[dict]:
        """Rows of the trials in these lanes."""
        verdicts, longer = self._test(done), self._longer(done)
        trials = jax.device_get(
            self.trials._replace(params=(), opt_state=(), criterion=(), milestone=())
        )
        each = [jax.tree.map(lambda a, i=i: a[i], verdicts) for i in range(len(done))]
        measured = [self.run.measured(self.setup, self.trials, lane) for lane in done]
        return [
            {**self._row(lane, trials, test), **longer.get(lane, {}), **more}
            for lane, test, more in zip(done, each, measured, strict=True)
        ]

    def _longer(self, done: list[int]) -> dict[int, dict[str, float]]:
        """Of the lanes that have solved their task: share right of longer sequences, by column."""
        solved, task = np.asarray(self.trials.outcome) == SOLVED, self.recipe.task
        lengths = [run.experiment.lengths for run in self._runs]
        shares: dict[int, dict[str, float]] = {}
        for times in sorted({k for i in done for k in lengths[i]}):
            lanes = [i for i in done if solved[i] and times in lengths[i]]
            if not lanes:
                continue
            assert isinstance(task, Growing)  # no other has lengths
            grown = program(replace(self.recipe, task=task.longer(times)))
            right = 1 - self._fresh_test(grown, lanes, TEST_GROUP).wrong.mean(1)
            for lane, share in zip(lanes, right, strict=True):
                shares.setdefault(lane, {})[f"longer_{times}"] = round(float(share), 4)
        return shares

    def _row(self, lane: int, trials: Trial, test: Verdict) -> dict:
        run, recipe = self._runs[lane], self.recipe
        experiment = run.experiment
        seen, milestone = int(trials.seen[lane]), int(trials.milestone_at[lane])
        return {
            "experiment": experiment.name,
            "task": experiment.task,
            "delay": experiment.delay,
            "cell": experiment.cell,
            "task_fields": describe(recipe.task),
            "model": describe(recipe.model),
            "weights": self.run.weights,
            "learner": describe(recipe.learner),
            "criterion": describe(recipe.criterion),
            "rate": experiment.rate,
            "budget": recipe.budget,
            "seed": self.seed,
            "trial": run.index,
            "outcome": OUTCOMES[trials.outcome[lane]],
            "sequences": seen if trials.outcome[lane] == SOLVED else None,
            "milestone": milestone if milestone >= 0 else None,
            "seen": seen,
            "test_size": len(test.wrong),
            "test_wrong": int(test.wrong.sum()),
            "test_error": round(float(test.error.mean()), 6),
            "seconds": round(self.seconds[lane], 3),
            "digest": experiment.digest,
            **provenance(),
            **experiment.settings.columns(),
        }


def named(params: nnx.State, lane: int) -> dict[str, np.ndarray]:
    """The weights of one lane, by their place in the network: `cell.w_xh`."""
    flat = nnx.to_flat_state(params)
    return {".".join(map(str, place)): np.asarray(leaf[...][lane]) for place, leaf in flat}


def _wrong(lanes: int, size: int) -> Verdict:
    """Verdicts `[lane, size]` that call every sequence wrong."""
    return Verdict(jnp.ones((lanes, size)), jnp.ones((lanes, size), bool))


def _join(groups: Iterable[Verdict]) -> Verdict:
    return jax.tree.map(lambda *parts: jnp.concatenate(parts, axis=1), *groups)
