"""Which experiments a command is about, and the search for the rates of a user's own cell."""

import difflib
import fnmatch
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from benchmarks import suites
from benchmarks.analysis import tables
from benchmarks.cli.arguments import folder
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.running import runner, search, store
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
        out: folder of results, where rates of the user's own cell are found.

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
    """The user's cell on each task of a suite, at the rates that were chosen for it."""
    rates = search.chosen_rates(folder(out, tuned_by(suite)))
    experiments = with_cell(suites.load(suite).experiments, cell)
    return [replace(e, rate=rates.get((e.task, e.cell), e.rate)) for e in experiments]


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


def tuned_by(name: str) -> str:
    """The suite whose search gives a suite its learning rates.

    Raises:
        UsageError: the suite's rates are fixed.
    """
    by = suites.load(name).tuned_by
    if by is None:
        raise UsageError(f"suite {name} has no learning rates to search")
    return by


def search_rates(
    suite: str,
    experiments: Iterable[Experiment],
    cell: str | None,
    out: Path | None,
    console: Console,
) -> None:
    """Runs what is missing of the search for these experiments' rates, and writes its choice."""
    by = tuned_by(suite)
    home, searched = folder(out, by), suites.load(by).experiments
    searched = with_cell(searched, cell) if cell else searched
    wanted = {(each.task, each.cell) for each in experiments}
    trials = search.candidates([each for each in searched if (each.task, each.cell) in wanted])
    text = f"{len(search.GRID)} rates x {search.TRIALS} trials for each task and cell"
    console.print(f"Searching the learning rate: {text}", highlight=False)
    runner.run(trials, search.SEED, home / "tuning", console)
    rows = tables.current(trials, store.read_suite(home / "tuning"))
    search.save(search.choose(rows), home)


def searched(
    suite: str,
    pattern: str,
    cell: str | None,
    trials: int | None,
    out: Path | None,
    console: Console,
) -> list[Experiment]:
    """As `chosen`, after the search for the rates of the user's own cell, if there is one."""
    experiments = chosen(suite, pattern, cell, trials, out)
    if not cell:
        return experiments
    search_rates(suite, experiments, cell, out, console)
    return chosen(suite, pattern, cell, trials, out)
