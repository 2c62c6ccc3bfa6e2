"""`list`: the suites, the experiments of one, or the cells."""

import inspect
import textwrap

from benchmarks import suites
from benchmarks.cli import arguments
from benchmarks.suites.cells import EVERY
from models.wrappers import Stack

WIDTH = 80  # columns


def add(commands) -> None:
    """Adds the command."""
    text = "the suites, the experiments of one, or the cells"
    parser = arguments.add_command(commands, "list", text, _command)
    parser.add_argument("suite", nargs="?")
    parser.add_argument("--cells", action="store_true", help="the cells that suites compare")


def _command(options) -> None:
    if options.cells:
        print_cells()
    elif options.suite:
        print_experiments(options.suite)
    else:
        print_suites()


def print_cells() -> None:
    """A line for each cell: what its docstring says first."""
    for name, cell in EVERY.items():
        print(entry(f"{name:17} ", described(cell)))


def described(cell) -> str:
    """What the docstring of a cell says first, and its layers if it has several."""
    if isinstance(cell, Stack):
        return f"{first_line(cell.cell)}; {cell.layers} layers"
    return first_line(cell)


def entry(name: str, text: str) -> str:
    """What stands beside a name, in lines of at most 80 columns."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=name,
        subsequent_indent=" " * len(name),
        break_on_hyphens=False,
    )


def first_line(thing) -> str:
    """The first line of a docstring, without its full stop."""
    return (inspect.getdoc(thing) or thing.__name__).splitlines()[0].rstrip(".")


def print_suites() -> None:
    """A line for each suite."""
    for name in suites.names():
        suite = suites.load(name)
        print(entry(f"{name:13} {len(suite.experiments):3} experiments  ", suite.title))


def print_experiments(suite: str) -> None:
    """A line for each experiment of a suite."""
    for each in suites.load(suite).experiments:
        print(f"{each.name:30} {each.trials:3} trials of {each.recipe.budget:,} sequences")
