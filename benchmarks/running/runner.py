"""The host loop: which trials are missing, in which order they are trained, rows on disk.

Only this process writes files; workers train.
"""

import contextlib
import functools
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from benchmarks.learning.experiment import Experiment
from benchmarks.learning.lanes import BlockResult, Run, train
from benchmarks.running import files, store
from benchmarks.running.progress import View
from benchmarks.running.workers import Workers

Job = list[Run]  # trials that share a recipe


class Shard(NamedTuple):
    """A share of the trials of every experiment, for one of several jobs.

    Attributes:
        number: which share, from 1.
        of: how many there are.
    """

    number: int = 1
    of: int = 1

    def indices(self, trials: int) -> range:
        """The trials, of so many, that belong to it."""
        return range(self.number - 1, trials, self.of)


ALL = Shard()


def missing(experiment: Experiment, seed: int, folder: Path, shard: Shard = ALL) -> Job:
    """The trials of an experiment that have no row yet: no finished trial is run twice.

    Raises:
        UsageError: the results file there is of another schema.
    """
    rows = store.read(path_of(experiment, folder))
    rows = rows[(rows["digest"] == experiment.digest) & (rows["seed"] == seed)]
    done = set(rows["trial"])
    return [Run(experiment, i) for i in shard.indices(experiment.trials) if i not in done]


def path_of(experiment: Experiment, folder: Path, kind: str = "trials") -> Path:
    """The file of an experiment's rows, or of its `curves`, in a suite's folder."""
    return folder / kind / f"{experiment.name}.csv"


def run(
    experiments: Sequence[Experiment],
    seed: int,
    folder: Path,
    console: Console,
    curves: bool = False,
    shard: Shard = ALL,
) -> None:
    """Runs the missing trials and adds each row to its file as soon as the trial is finished.

    Args:
        experiments: what to run.
        seed: seed of the run.
        folder: the suite's folder of results.
        console: where to show how far it is.
        curves: whether to keep the trials' learning curves, too.
        shard: which of the trials.

    Raises:
        UsageError: rows cannot be written, or a worker was killed.
        KeyboardInterrupt: after the workers have stopped.
    """
    files.require_lockable(folder / "trials")
    to_run = {each: missing(each, seed, folder, shard) for each in experiments}
    to_run = {each: runs for each, runs in to_run.items() if runs}
    for each in to_run if curves else ():
        store.read(path_of(each, folder, "curves"), store.CURVE_COLUMNS)  # refuses a foreign file
    with contextlib.closing(trained(to_run, seed, console)) as coming:
        for result in coming:
            path = path_of(result.experiment, folder)
            if result.rows and curves:
                own = path_of(result.experiment, folder, "curves")
                store.add_trials(path, own, result.rows, result.points)
            elif result.rows:
                store.add(path, result.rows)


def trained(
    to_run: dict[Experiment, list[Run]], seed: int, console: Console
) -> Generator[BlockResult, None, None]:
    """Trains trials in workers; yields their results as they come, which the console shows, too.

    Raises:
        UsageError: a worker was killed.
        KeyboardInterrupt: after the workers have stopped.
    """
    known = {each.name: each for each in to_run}
    with View(console, {each: len(runs) for each, runs in to_run.items()}) as view:
        for loops, jobs in _by_compiler(_grouped(to_run)):
            with Workers(loops) as workers:
                parts = _split(jobs, len(workers.cores))
                calls = [functools.partial(_train, seed, part) for part in parts]
                for name, rest in workers.run(calls):
                    result = BlockResult(known[name], *rest)
                    yield result
                    view.show(result)


def _train(seed: int, job: Job) -> Iterator[tuple[str, tuple]]:
    """In a worker: trains a job; yields the names of experiments and what else a result has."""
    for block in train(seed, job):
        for result in block:
            yield result.experiment.name, result[1:]


def _grouped(to_run: dict[Experiment, list[Run]]) -> list[Job]:
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
    return len(job) * recipe.budget * recipe.task.steps


def _by_compiler(jobs: list[Job]) -> Iterator[tuple[bool, list[Job]]]:
    """Jobs that want loops compiled as wholes, a setting of the process, apart from the others."""
    for loops in (False, True):
        chosen = [job for job in jobs if (job[0].experiment.recipe.learner.batch == 1) == loops]
        if chosen:
            yield loops, chosen


def _split(jobs: list[Job], workers: int) -> list[Job]:
    """With fewer jobs than workers, parts of jobs; a trial does not depend on its company."""
    parts = -(-workers // len(jobs))
    return [job[i::parts] for job in jobs for i in range(min(parts, len(job)))]
