"""`table`: prints the table of what has been run, and writes it as .md and .csv."""

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from benchmarks import suites
from benchmarks.analysis import tables
from benchmarks.cli import arguments
from benchmarks.cli.chosen import beside, chosen
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.running import files, store
from benchmarks.suites.common import RESULTS


def add(commands) -> None:
    """Adds the command."""
    text = "print the table of what has been run, and write it as .md and .csv"
    parser = arguments.add_command(commands, "table", text, _command)
    arguments.add_experiments(parser)
    arguments.add_changes(parser)
    arguments.add_out(parser)


def _command(options) -> None:
    suite, pattern, out = options.suite, options.pattern, options.out
    changes = arguments.changes(options)
    experiments = chosen(suite, pattern, changes, out)
    home, whole = arguments.folder(out, suite), pattern == "*" and changes.whole
    if not options.trials:
        rows = store.read_suite(home, suites.load(suite).columns)
        experiments = tables.requested(experiments, store.read_requests(home), rows)
    others = beside(suite, pattern, changes, out)
    show(suite, experiments, home, arguments.console(), whole, others)


def show(
    name: str,
    experiments: Sequence[Experiment],
    folder: Path,
    console: Console,
    whole: bool,
    others: Sequence[Experiment] = (),
) -> None:
    """Prints the table of a suite's experiments.

    Args:
        name: the suite.
        experiments: which of its experiments.
        folder: where their rows are.
        console: where to print.
        whole: whether these are all of the suite; then table.md and table.csv are written, too.
        others: experiments of the suite to show beside them, from the committed rows or from this
            folder; those without rows are left out.

    Raises:
        UsageError: there are no rows.
    """
    suite = suites.load(name)
    rows = tables.current(experiments, store.read_suite(folder, suite.columns))
    if rows.empty:
        raise UsageError(
            f"no rows of these experiments in {files.short(folder)}; "
            f"make some with: python -m benchmarks run {name}"
        )
    committed = None
    if others:
        both = [store.read_suite(home, suite.columns) for home in {folder, RESULTS / name}]
        known = tables.current(others, pd.concat(both)).drop_duplicates(store.IDENTITY)
        ran = set(known["digest"])
        experiments = [*(each for each in others if each.digest in ran), *experiments]
        rows = pd.concat([known, rows], ignore_index=True)
    elif folder != RESULTS / name:
        committed = tables.current(experiments, store.read_suite(RESULTS / name, suite.columns))
    shown = suite.shown(experiments, rows, committed, [folder])
    if whole:  # before anything is printed: `| head` may end this
        files.write(folder / "table.md", shown.page)
        files.write(folder / "table.csv", shown.lines.to_csv(index=False, lineterminator="\n"))
    console.print(shown.table)
    console.print()
    for text in [*shown.notes, tables.origin(rows)]:
        console.print(text, highlight=False)
    if whole:
        console.print(f"More in {os.path.relpath(folder)}/table.md", highlight=False)
