"""Which experiments a command is about, and the search for the settings of a user's own cell."""

import difflib
import fnmatch
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from benchmarks import suites
from benchmarks.cli.arguments import folder
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.running import search
from benchmarks.running.cell_file import cell_from
from models.network import Recurrent


def chosen(
    suite: str,
    pattern: str = "*",
    cell: str | None = None,
    trials: int | None = None,
    out: Path | None = None,
) -> list[Experiment]:
    """Experiments of a suite whose name fits the pattern; with the user's cell, if there is one.

    Args:
        suite: name of the suite.
        pattern: a shell pattern.
        cell: the user's own cell, FILE:CLASS.
        trials: number of trials of each, other than the suite's.
        out: folder of results, where what was chosen for the user's own cell is found.

    Raises:
        UsageError: no experiment fits.
    """
    experiments = suites.load(suite).experiments
    if cell:
        experiments = with_own_cell(suite, cell, out)
    fitting = [each for each in experiments if fnmatch.fnmatchcase(each.name, pattern)]
    if not fitting:
        near = difflib.get_close_matches(pattern, [each.name for each in experiments], 1)
        guess = f" (did you mean {near[0]}?)" if near else ""
        raise UsageError(
            f"no experiment of {suite} is called {pattern!r}{guess}; "
            f"see: python -m benchmarks list {suite}"
        )
    return [replace(each, trials=trials) for each in fitting] if trials else fitting


def with_own_cell(suite: str, cell: str, out: Path | None) -> list[Experiment]:
    """The user's cell on each task of a suite, at what was chosen for it."""
    experiments = with_cell(suites.load(suite).experiments, cell)
    choices = search.chosen(folder(out, suite)) if suites.load(suite).searched else {}
    return [
        search.at(each, choices.get((each.task, each.delay, each.cell), search.DEFAULT))
        for each in experiments
    ]


def with_cell(experiments: Iterable[Experiment], spec: str) -> list[Experiment]:
    """The user's cell on each task of a suite, otherwise as the suite's own cells."""
    cell = cell_from(spec)
    modern = [each for each in experiments if isinstance(each.recipe.model, Recurrent)]
    tasks = {(each.task, each.delay): each for each in modern}
    return [
        replace(
            each,
            cell=cell.name,
            recipe=replace(each.recipe, model=replace(each.recipe.model, cell=cell)),
        )
        for each in tasks.values()
    ]


def searched(
    suite: str,
    pattern: str,
    cell: str | None,
    trials: int | None,
    out: Path | None,
    console: Console,
) -> list[Experiment]:
    """As `chosen`, after the search for the user's own cell, if there is one."""
    experiments = chosen(suite, pattern, cell, trials, out)
    if not cell or not suites.load(suite).searched:
        return experiments
    search.search(experiments, search.CONFIGURATIONS, folder(out, suite), console)
    return chosen(suite, pattern, cell, trials, out)
