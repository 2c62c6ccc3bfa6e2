"""Which experiments a command is about, and the search for what a user brings."""

import fnmatch
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from benchmarks import suites
from benchmarks.cli.arguments import folder
from benchmarks.cli.changes import Changes
from benchmarks.learning.experiment import Experiment
from benchmarks.running import search
from benchmarks.running.pool import Start
from benchmarks.running.workers import Workers

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
    whole = suites.load(suite)
    experiments = changes.applied(whole, pattern)
    if not whole.searched or changes.rate is not None:
        return experiments
    if changes.to_search:
        experiments = [search.at(each, search.DEFAULT) for each in experiments]
    elif whole.fixed:
        return experiments
    return search.settled(experiments, folder(out, suite))


def searched(
    suite: str,
    pattern: str,
    changes: Changes,
    out: Path | None,
    console: Console,
    start: Start = Workers,
) -> list[Experiment]:
    """As `chosen`, after the search for what has to be searched."""
    experiments = chosen(suite, pattern, changes, out)
    if not changes.to_search or not suites.load(suite).searched:
        return experiments
    others, home = other_delays(suite, changes, out), folder(out, suite)
    search.search(experiments, search.CONFIGURATIONS, home, console, others, start)
    return chosen(suite, pattern, changes, out)


def other_delays(suite: str, changes: Changes, out: Path | None) -> list[Experiment]:
    """Experiments from whose search that at longer delays starts."""
    return chosen(suite, "*", changes, out) if suites.load(suite).staged else []


def beside(suite: str, pattern: str, changes: Changes) -> list[Experiment]:
    """The suite's own experiments that a table shows beside those of own cells."""
    if not changes.cells:
        return []
    own = {each.cell for each in changes.applied(suites.load(suite), pattern)}
    experiments = replace(changes, cells=()).applied(suites.load(suite))
    return [
        each
        for each in experiments
        if each.cell not in own and fnmatch.fnmatchcase(each.name, pattern)
    ]
