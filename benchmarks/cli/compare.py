"""`compare`: sets two folders of results side by side."""

from pathlib import Path

from benchmarks.check import output
from benchmarks.check.compare import compare
from benchmarks.cli import arguments


def add(commands) -> None:
    """Adds the command."""
    text = "set two folders of results side by side, with the statistics of check"
    parser = arguments.add_command(commands, "compare", text, _command)
    parser.add_argument("first", type=Path, metavar="A", help="what was")
    parser.add_argument("second", type=Path, metavar="B", help="what is now")


def _command(options) -> None:
    console = arguments.console()
    report, sentences = compare(options.first, options.second)
    output.show(report, console)
    for text in sentences:
        console.print(text, highlight=False)
