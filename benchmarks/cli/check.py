"""`check`: runs a suite; exit status 1 if it learns worse than before."""

import argparse
from pathlib import Path

from benchmarks import suites
from benchmarks.check import run
from benchmarks.check.output import Files
from benchmarks.cli import arguments
from benchmarks.cli.chosen import chosen
from benchmarks.errors import UsageError


def add(commands) -> None:
    """Adds the command."""
    text = "run a suite; status 1 if it learns worse than before"
    parser = arguments.add_command(commands, "check", text, _command, resumes=True)
    add_suite(parser, run.SEED)
    parser.add_argument("--junit", type=Path, metavar="FILE", help="the verdicts as XML")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="the verdicts as a page")


def add_suite(parser: argparse.ArgumentParser, seed: int) -> None:
    """What `check` and `baseline` both take."""
    parser.add_argument("suite", nargs="?", default="smoke", help="default: smoke")
    parser.add_argument("--baseline", type=Path, default=run.BASELINE, metavar="FILE")
    arguments.add_cell(parser)
    arguments.add_seed(parser, seed)


def require_trained(suite: str) -> None:
    """Refuses suites without trials to compare.

    Raises:
        UsageError: nothing is trained in this one.
    """
    if not suites.load(suite).trains:
        raise UsageError(f"suite {suite} trains nothing; there is nothing to check")


def _command(options) -> int:
    require_trained(options.suite)
    files = Files(options.junit, options.markdown)
    experiments = chosen(options.suite, changes=arguments.changes(options))
    return run.run_check(
        options.suite, experiments, options.seed, options.baseline, files, arguments.console()
    )
