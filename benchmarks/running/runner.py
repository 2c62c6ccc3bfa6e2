"""The host loop: which trials are missing, who trains them, rows and checkpoints on disk.

Only this process writes files; workers train.
"""

import contextlib
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from benchmarks.errors import FailedError
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.lanes import BlockResult, Run
from benchmarks.learning.states import Key
from benchmarks.running import failures, files, store
from benchmarks.running.checkpoints import Checkpoints
from benchmarks.running.jobs import Part, by_compiler, grouped, split
from benchmarks.running.pool import Pool, Start
from benchmarks.running.progress import View
from benchmarks.running.rows import ALL, Rows, Shard, finished, missing, path_of
from benchmarks.running.stopping import noticed
from benchmarks.running.workers import Broken, Workers


def run(
    experiments: Sequence[Experiment],
    seed: int,
    folder: Path,
    console: Console,
    curves: bool = False,
    keep_weights: bool = False,
    shard: Shard = ALL,
    start: Start = Workers,
) -> None:
    """Runs the missing trials and adds each row to its file as soon as the trial is finished.

    What is not finished is saved now and then, and before an interrupt; it goes on from there.

    Args:
        experiments: what to run.
        seed: seed of the run.
        folder: the suite's folder of results.
        console: where to show how far it is.
        curves: whether to keep the trials' learning curves, too.
        keep_weights: whether to keep the trained networks, too (`networks`).
        shard: which of the trials.
        start: starts the workers (`pool.opened`).

    Raises:
        UsageError: rows cannot be written, before anything is trained.
        FailedError: experiments could not be run to their end; the others are done.
        IncompleteError: rows could not be written later, or are gone.
        KeyboardInterrupt: after the workers have stopped.
    """
    files.require_lockable(folder / "trials")
    to_run = {each: missing(each, seed, folder, shard) for each in experiments}
    done = {each: finished(each, seed, folder) for each in experiments}
    kept = Rows(folder, curves, {each: len(trials) for each, trials in done.items()})
    to_run = {each: runs for each, runs in to_run.items() if runs}
    for each in to_run if curves else ():
        store.read(path_of(each, folder, "curves"), store.CURVE_COLUMNS)  # refuses a foreign file
    failures.forget(folder, [each.name for each in to_run])
    checkpoints = Checkpoints(folder, seed, experiments, console)
    checkpoints.find(
        [run for runs in to_run.values() for run in runs],
        {(each.digest, i) for each, trials in done.items() for i in trials},
    )
    failed = []
    coming = trained(to_run, seed, console, checkpoints, keep_weights, start)
    with contextlib.closing(coming):
        for result in coming:
            if isinstance(result, Failure):
                failed += result.recorded(folder)
            elif result.rows:
                kept.add(result)
    kept.check()
    if failed:
        raise FailedError("; ".join(dict.fromkeys(failed)))  # parts of a job may fail alike


class Failure(NamedTuple):
    """Experiments of which a job could not be finished.

    Attributes:
        names: theirs.
        trials: how many are missing.
        why: what has happened.
    """

    names: list[str]
    trials: int
    why: Broken

    def recorded(self, folder: Path) -> list[str]:
        """Records it beside the rows; returns a text for each experiment."""
        paths = [
            failures.record(folder, name, self.why.reason, self.why.traceback)
            for name in self.names
        ]
        return [
            f"{name} failed ({self.why.reason}); see {path}"
            for name, path in zip(self.names, paths, strict=True)
        ]


def trained(
    to_run: dict[Experiment, list[Run]],
    seed: int,
    console: Console,
    checkpoints: Checkpoints | None = None,
    keep_weights: bool = False,
    start: Start = Workers,
) -> Generator[BlockResult | Failure, None, None]:
    """Trains trials in workers; yields their results as they come, which the console shows, too.

    Raises:
        UsageError: workers cannot be started.
        KeyboardInterrupt: after the workers have stopped.
    """
    trials = {each: len(runs) for each, runs in to_run.items()}
    with noticed() as stop, View(console, trials) as view:
        for loops, jobs in by_compiler(grouped(to_run)):
            with start(loops) as workers:
                parts = [
                    Part(seed, runs, keep_weights=keep_weights)
                    for runs in split(jobs, len(workers))
                ]
                if checkpoints:
                    checkpoints.start(parts, workers.device)
                for results in _followed(workers, parts, view, checkpoints):
                    for result in results:
                        yield result
                        if isinstance(result, BlockResult):
                            view.show(result)
                    if checkpoints:
                        checkpoints.follow(_with_rows(results), now=stop.signal is not None)
                    if stop.signal is not None:
                        return


def _with_rows(results: Iterable[BlockResult | Failure]) -> Iterator[Key]:
    """Which trials have got their rows."""
    for each in results:
        if isinstance(each, BlockResult):
            yield from ((row["digest"], row["trial"]) for row in each.rows)


def _followed(
    workers: Pool, parts: list[Part], view: View, checkpoints: Checkpoints | None
) -> Iterator[Sequence[BlockResult | Failure]]:
    """Results of parts of jobs, those of a block together; none now and then.

    A part whose turn is over goes on, and workers that would have nothing to do get a share of it.
    """
    calls = deque((number, part.call()) for number, part in enumerate(parts))
    unfinished = set(range(len(parts)))
    for event in workers.run(calls):
        view.place(workers.where)
        if event is None:
            yield []
            continue
        number, item = event
        part = parts[number]
        if item is None and part.runs:
            for share in part.shared(max(0, len(workers) - len(unfinished))):
                calls.append((len(parts), share.call()))
                unfinished.add(len(parts))
                parts.append(share)
                if checkpoints:
                    checkpoints.add(share)
            calls.appendleft((number, part.call()))
        elif item is None:
            unfinished.remove(number)
        elif not isinstance(item, Broken):
            yield part.follow(item)
        elif part.goes_on(item):
            view.tell(f"{part}: {item.reason}; {part.how_it_goes_on(item)}")
            calls.append((number, part.call()))
        else:
            unfinished.remove(number)
            yield [Failure(part.names, len(part.runs), item)]
