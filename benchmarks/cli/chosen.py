"""Which experiments a command is about, and the search for what a user brings."""

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from benchmarks import suites
from benchmarks.cli.arguments import folder
from benchmarks.cli.changes import Changes
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.running import search
from benchmarks.running.pool import Start
from benchmarks.running.workers import Workers
from benchmarks.suites.base import Suite
from models.network import Recurrent

AS_IT_IS = Changes()


def chosen(
    suite: str, pattern: str = "*", changes: Changes = AS_IT_IS, out: Path | None = None
) -> list[Experiment]:
    """Experiments of a suite whose name fits the pattern, as the user wants them.

    Args:
        suite: name of the suite.
        pattern: a shell pattern.
        changes: what the user wants other than the suite has it.
        out: folder of results; what a search there has chosen for these experiments they get.

    Raises:
        UsageError: no experiment fits, or the changes do not.
    """
    return _settled(suites.load(suite), pattern, changes, out)


def _settled(whole: Suite, pattern: str, changes: Changes, out: Path | None) -> list[Experiment]:
    experiments = changes.applied(whole, pattern)
    if not whole.searched or changes.rate is not None:
        return experiments
    if changes.to_search:
        experiments = [search.at(each, search.DEFAULT) for each in experiments]
    elif whole.fixed:
        return experiments
    return search.settled(experiments, folder(out, whole.name))


def searched(
    suite: str,
    pattern: str,
    changes: Changes,
    out: Path | None,
    console: Console,
    start: Start = Workers,
) -> list[Experiment]:
    """As `chosen`, after the search for what has to be searched and has not been."""
    experiments = chosen(suite, pattern, changes, out)
    if not changes.to_search or not suites.load(suite).searched:
        return experiments
    others, home = other_delays(suite, changes, out), folder(out, suite)
    wanted = search.unsettled(experiments, home)
    if wanted:
        search.search(wanted, search.CONFIGURATIONS, home, console, others, start)
    return chosen(suite, pattern, changes, out)


def other_delays(suite: str, changes: Changes, out: Path | None) -> list[Experiment]:
    """Experiments from whose search that at longer delays starts."""
    return chosen(suite, "*", changes, out) if suites.load(suite).staged else []


def beside(suite: str, pattern: str, changes: Changes, out: Path | None = None) -> list[Experiment]:
    """The suite's own experiments that a table shows beside those of own cells.

    Those whose cells an own one can replace; none where the pattern names own cells only.
    """
    if not changes.cells:
        return []
    whole = suites.load(suite)
    own = {each.cell for each in changes.applied(whole, pattern)}
    there = [each for each in whole.experiments if isinstance(each.recipe.model, Recurrent)]
    others = replace(whole, experiments=tuple(there))
    try:
        found = _settled(others, pattern, replace(changes, cells=()), out)
    except UsageError:  # no name fits
        return []
    return [each for each in found if each.cell not in own]
