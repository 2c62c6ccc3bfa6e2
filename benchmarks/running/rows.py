"""Which trials have rows, and how new rows are written while a run goes on."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from benchmarks.errors import IncompleteError, UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.lanes import BlockResult, Run
from benchmarks.running import networks, store


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


def missing(experiment: Experiment, seed: int, folder: Path, shard: Shard = ALL) -> list[Run]:
    """The trials of an experiment that have no row yet: no finished trial is run twice.

    Raises:
        UsageError: the results file there is of another schema.
    """
    done = finished(experiment, seed, folder)
    return [Run(experiment, i) for i in shard.indices(experiment.trials) if i not in done]


def finished(experiment: Experiment, seed: int, folder: Path) -> set[int]:
    """The trials of an experiment that have a row.

    Raises:
        UsageError: the results file there is of another schema.
    """
    rows = store.read(path_of(experiment, folder))
    return set(rows["trial"][(rows["digest"] == experiment.digest) & (rows["seed"] == seed)])


def path_of(experiment: Experiment, folder: Path, kind: str = "trials") -> Path:
    """The file of an experiment's rows, or of its `curves`, in a suite's folder."""
    return folder / kind / f"{experiment.name}.csv"


class Rows:
    """Rows and curves that are written while a run goes on.

    They are there as long as their folder is; if somebody removes it, the run ends.
    """

    def __init__(self, folder: Path, curves: bool, held: dict[Experiment, int]):
        self.folder, self.curves = folder, curves
        counts = Counter[str]()  # configurations of a search share a name and a file
        for each, count in held.items():
            counts[each.name] += count
        self.held = {each.name: (path_of(each, folder), counts[each.name]) for each in held}

    def add(self, result: BlockResult) -> None:
        """Adds the rows of a result.

        Raises:
            IncompleteError: that cannot be done, or rows that were there are gone.
        """
        experiment, rows = result.experiment, result.rows
        self.check()
        try:
            for row, weights in zip(rows, result.weights, strict=False):  # none if not kept
                networks.write(self.folder, row, weights)
            path = path_of(experiment, self.folder)
            if self.curves:
                own = path_of(experiment, self.folder, "curves")
                store.add_trials(path, own, rows, result.points)
            else:
                store.add(path, rows)
        except UsageError as error:
            trials = ", ".join(str(row["trial"]) for row in rows)
            raise IncompleteError(
                f"{error}; not written: {experiment.name}, trials {trials}; the same command "
                "makes them again"
            ) from error
        self.held[experiment.name] = path, self.held[experiment.name][1] + len(rows)

    def check(self) -> None:
        """Sees to it that what was written is still there.

        Raises:
            IncompleteError: it is not.
        """
        held = self.held.items()
        gone = [f"{name} ({count})" for name, (path, count) in held if count and not path.exists()]
        if gone:
            raise IncompleteError(
                f"rows have been removed from {self.folder} while it was written to: "
                f"{', '.join(gone)}; the same command makes them again"
            )
