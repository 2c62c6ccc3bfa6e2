"""Two folders of results side by side, by the tests of a check."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmarks.analysis import tables
from benchmarks.check import output, verdicts
from benchmarks.errors import UsageError
from benchmarks.running import files, store
from benchmarks.running.folders import home_of, require_rows, rows_in


class Sides(NamedTuple):
    """What two folders have measured.

    Attributes:
        pairs: the rows of both, by the name of the experiment, where it means the same in both.
        left_out: names of the experiments in the first only, in the second only, and in both with
            another meaning, by what they are.
    """

    pairs: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]
    left_out: Mapping[str, list[str]]

    def rows(self, side: int) -> pd.DataFrame:
        """The rows of the first (0) or second (1) folder."""
        return pd.concat([pair[side] for pair in self.pairs.values()])


class Compared(NamedTuple):
    """An experiment of both folders: what a verdict needs of it."""

    name: str


def compare(first: Path, second: Path) -> tuple[output.Report, list[str]]:
    """Verdicts on the second folder against the first, and sentences on what they rest on.

    Raises:
        UsageError: a file is not as it should be, or there is nothing to compare.
    """
    both = sides(_trials(first), _trials(second))
    if not both.pairs:
        raise UsageError(
            f"{files.short(first)} and {files.short(second)} have no experiment in common that "
            "means the same in both"
        )
    was, now = both.rows(0), both.rows(1)
    report = output.Report(
        "compare",
        verdicts.findings([Compared(name) for name in both.pairs], now, was),
        f"Now: {files.short(second)}, {tables.origin(now)}",
        f"Was: {files.short(first)}, {tables.origin(was)}",
    )
    return report, [text for text in (shared(was, now), *left_out(both)) if text]


def _trials(folder: Path) -> dict[str, pd.DataFrame]:
    """Rows of trained trials by experiment, `quick/adding-40.gru`."""
    found = rows_in(folder, "trials")
    require_rows(folder, found)
    return {
        (home_of(place) / place.stem).as_posix(): rows
        for place, rows in found.items()
        if "outcome" in rows
    }


def sides(first: Mapping[str, pd.DataFrame], second: Mapping[str, pd.DataFrame]) -> Sides:
    """What is to be compared: rows of the same digests, under the name of their experiment."""
    pairs: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = {}
    other = []
    for name in [each for each in first if each in second]:
        ours, theirs = first[name], second[name]
        common = sorted(set(ours["digest"]) & set(theirs["digest"]))
        for digest in common:
            own = name if len(common) == 1 else f"{name} {digest}"
            pairs[own] = _of(digest, own, ours), _of(digest, own, theirs)
        if not common:
            other.append(name)
    left = {
        "in the first folder only": [name for name in first if name not in second],
        "in the second folder only": [name for name in second if name not in first],
        "with another meaning in each": other,
    }
    return Sides(pairs, left)


def _of(digest: str, name: str, rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["digest"] == digest].assign(experiment=name)


def shared(was: pd.DataFrame, now: pd.DataFrame) -> str:
    """How many trials have the same seed on both sides, and how many of these came out alike."""
    key = ["experiment", *store.IDENTITY]
    pairs = was.merge(now, on=key, suffixes=("", "_now"))
    if pairs.empty:
        return ""
    alike = (pairs["outcome"] == pairs["outcome_now"]) & (pairs["seen"] == pairs["seen_now"])
    return (
        f"{len(pairs)} trials have the same seed in both folders, and {alike.sum()} of them the "
        "same outcome after the same number of sequences. Such pairs are not independent: p is "
        "too large rather than too small."
    )


def left_out(both: Sides) -> list[str]:
    """A sentence for each kind of experiments that are not compared."""
    return [
        f"Not compared, {what}: {len(names)} ({', '.join(names[:3])}{', ...' * (len(names) > 3)})."
        for what, names in both.left_out.items()
        if names
    ]
