"""`list`: the suites, or the experiments of one."""

from benchmarks import suites
from benchmarks.cli import arguments


def add(commands) -> None:
    """Adds the command."""
    text = "the suites, or the experiments of one"
    parser = arguments.add_command(commands, "list", text, _command)
    parser.add_argument("suite", nargs="?")


def _command(options) -> None:
    if options.suite:
        print_experiments(options.suite)
    else:
        print_suites()


def print_suites() -> None:
    """A line for each suite."""
    for name in suites.names():
        suite = suites.load(name)
        print(f"{name:13} {len(suite.experiments):3} experiments  {suite.title}")


def print_experiments(suite: str) -> None:
    """A line for each experiment of a suite."""
    for each in suites.load(suite).experiments:
        print(f"{each.name:30} {each.trials:3} trials of {each.recipe.budget:,} sequences")
