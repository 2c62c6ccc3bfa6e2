"""`merge`: joins the results of several machines."""

from pathlib import Path

from benchmarks.cli import arguments
from benchmarks.running.merge import merge


def add(commands) -> None:
    """Adds the command."""
    text = "join folders of results, and say what was taken of each"
    parser = arguments.add_command(commands, "merge", text, _command)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="what --out has named")
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="where all go")


def _command(options) -> None:
    console = arguments.console()
    for taken in merge(options.folders, options.out):
        console.print(str(taken), highlight=False, soft_wrap=True)
