"""What the page of a suite is made of: its experiments, and their rows on disk."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmarks.analysis import tables
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.running import files, search, store
from benchmarks.running.schema import Columns
from benchmarks.suites.base import PaperSuite, Suite
from benchmarks.suites.common import RESULTS

FILES = ("trials", "curves", "search/trials", "chosen.csv", "table.csv")
"""What a page links to, of a suite's results."""


class Own(NamedTuple):
    """A user's own cells: `FILE:CLASS` of each, and their experiments in each suite."""

    specs: tuple[str, ...]
    experiments: Mapping[str, Sequence[Experiment]]


class Source(NamedTuple):
    """What a page is made of.

    Attributes:
        experiments: the suite's, then those of the user's own cell; with as many trials as have
            been asked for.
        rows: their rows.
        points: the points of those trials' learning curves.
        tried: rows of the search for these experiments.
        committed: whether the suite's own rows are the committed ones.
        text: a sentence that says which rows they are.
        unasked: a sentence on what has not been asked for; empty if nothing.
        folders: where the rows are.
    """

    experiments: Sequence[Experiment]
    rows: pd.DataFrame
    points: pd.DataFrame
    tried: pd.DataFrame
    committed: bool
    text: str
    unasked: str
    folders: Sequence[Path]


def of_suite(suite: Suite, experiments: Sequence[Experiment], local: Path) -> Source:
    """The rows in `local`, or, where it has none of these experiments, the committed ones."""
    committed = RESULTS / suite.name
    found = _read(experiments, local, suite.columns)
    if local.resolve() == committed:
        text = f"Made of the committed rows in {shown(committed)}."
        return _source(experiments, *found, True, text, committed)
    if len(found[0]):
        return _source(experiments, *found, False, f"Made of the rows in {shown(local)}.", local)
    text = f"Made of the committed rows in {shown(committed)}; {shown(local)} has none."
    return _source(
        experiments, *_read(experiments, committed, suite.columns), True, text, committed
    )


def _source(
    experiments: Sequence[Experiment],
    rows: pd.DataFrame,
    points: pd.DataFrame,
    committed: bool,
    text: str,
    folder: Path,
) -> Source:
    asked = tables.requested(experiments, store.read_requests(folder), rows)
    unasked = tables.unasked(experiments, asked)
    tried = search.tried(experiments, folder)
    return Source(asked, rows, points, tried, committed, text, unasked, [folder])


def with_own(source: Source, suite: Suite, own: Own, local: Path) -> Source:
    """The source with the rows that a user's own cells have in `local`.

    Raises:
        UsageError: they have none there, or a cell of the suite has the name of one.
    """
    experiments = own.experiments[suite.name]
    labels = dict.fromkeys(each.cell for each in experiments)
    label = ", ".join(labels)
    for taken in labels.keys() & {each.cell for each in suite.experiments}:
        raise UsageError(f"suite {suite.name} has a cell {taken} of its own; rename the class")
    rows, points = _read(experiments, local, suite.columns)
    if rows.empty:
        raise UsageError(
            f"no rows of {label} in {files.short(shown(local))}, at the suite's own sizes, delays "
            "and budgets (of others `table` tells); make some with: "
            f"python -m benchmarks run {suite.name} --cell {' --cell '.join(own.specs)}"
        )
    asked = tables.requested(experiments, store.read_requests(local), rows)
    unasked = [source.unasked, tables.unasked(experiments, asked)]
    return source._replace(
        experiments=[*source.experiments, *asked],
        rows=pd.concat([source.rows, rows], ignore_index=True) if len(source.rows) else rows,
        points=pd.concat([source.points, points]) if len(source.points) else points,
        tried=pd.concat([source.tried, search.tried(experiments, local)], ignore_index=True),
        text=f"{source.text} Those of {label}: {shown(local)}.",
        unasked=" ".join(filter(None, unasked)),
        folders=list(dict.fromkeys([*source.folders, local])),
    )


def literal(suite: PaperSuite, experiments: Sequence[Experiment], home: Path) -> Source | None:
    """The literal rows that a suite's variants stand beside; None if it has no variants.

    Args:
        suite: a suite beside the paper's rows.
        experiments: which of its experiments.
        home: the folder of all suites' results.
    """
    if suite.literal is None:
        return None
    digests = {each.digest for each in experiments}
    rows = {each.row for each in suite.compared if each.experiment.digest in digests}
    chosen = [each.experiment for each in suite.literal.compared if each.row in rows]
    return of_suite(suite.literal, chosen, home / suite.literal.name)


def _read(
    experiments: Sequence[Experiment], folder: Path, columns: Columns
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of these experiments, and the curves of the trials that have one."""
    rows = tables.current(experiments, store.read_suite(folder, columns))
    return rows, store.read_curves(folder).merge(rows[store.IDENTITY])


def shown(path: Path) -> str:
    """A path for people: inside the project from its root on."""
    path, root = path.resolve(), RESULTS.parent
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def links(folders: Sequence[Path], start: Path) -> dict[str, str]:
    """Relative links from the folder `start` to the files of rows, by what people read."""
    files = [folder / name for folder in folders for name in FILES]
    return {
        shown(each): Path(os.path.relpath(each, start)).as_posix() + "/" * each.is_dir()
        for each in files
        if each.exists()
    }
