"""Arguments that several commands take, and what they mean."""

import argparse
import importlib
import math
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from benchmarks.cli.changes import Changes
from benchmarks.errors import UsageError
from benchmarks.running import search
from benchmarks.running.rows import Shard
from benchmarks.running.screen import PlainConsole
from benchmarks.running.store import MOST_TRIALS
from benchmarks.suites.common import RESULTS


def add_command(
    commands, name: str, text: str, command: Callable, resumes: bool = False
) -> argparse.ArgumentParser:
    """A new command.

    Args:
        commands: where it is added.
        name: what the user types.
        text: what it does, in a line.
        command: called with the parsed options; returns the exit status, or None for 0.
        resumes: whether the same command goes on where an interrupted one stopped.
    """
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command, resumes=resumes)
    return parser


def add_experiments(parser: argparse.ArgumentParser) -> None:
    """The suite, and which of its experiments."""
    parser.add_argument("suite", help="see `list`")
    parser.add_argument("pattern", nargs="?", default="*", help="which experiments: 'adding-*'")


def add_cell(
    parser: argparse.ArgumentParser, text: str = "your own cell on the same tasks"
) -> None:
    """Cells of the user's own."""
    parser.add_argument(
        "--cell",
        action="append",
        default=[],
        metavar="FILE:CLASS",
        help=f"{text}; may be given several times",
    )


def add_changes(parser: argparse.ArgumentParser) -> None:
    """Everything that a user may want other than the suite has it."""
    add_shape(parser)
    parser.add_argument("--rate", type=rate, metavar="R", help="learning rate; nothing is searched")
    add_trials(parser)


def add_shape(parser: argparse.ArgumentParser) -> None:
    """Of what `add_changes` adds, all but what a search decides itself."""
    add_cell(parser)
    parser.add_argument("--task", metavar="FILE:CLASS", help="your own task: 'my.py:MyTask(T=99)'")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--hidden", type=positive, metavar="N", help="hidden units")
    size.add_argument("--weights", type=positive, metavar="N", help="weights; hidden units follow")
    parser.add_argument("--layers", type=positive, metavar="N", help="layers of the cell")
    parser.add_argument("--delay", type=delays, default=(), metavar="T,T", help="other delays")
    parser.add_argument("--budget", type=positive, metavar="N", help="training sequences")


def changes(options: argparse.Namespace) -> Changes:
    """What the options of `add_changes`, or of a part of them alone, ask for."""
    given = vars(options)
    numbers = ("task", "hidden", "weights", "layers", "budget", "rate", "trials")
    return Changes(
        cells=tuple(options.cell),
        delays=given.get("delay", ()),
        **{name: given.get(name) for name in numbers},
    )


def delays(text: str) -> tuple[int, ...]:
    """Whole numbers from 1 on, with commas between them."""
    return tuple(dict.fromkeys(positive(part) for part in text.split(",")))


def rate(text: str) -> float:
    """A positive number."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"must be a positive number, not {text}")
    return number


def add_out(parser: argparse.ArgumentParser) -> None:
    """The folder of results."""
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: results/local")


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Workers other than those of this machine."""
    text = "address of a Dask scheduler, local[:WORKERS] or slurm[:JOBS]; docs/CLUSTER.md"
    parser.add_argument("--cluster", metavar="ADDRESS", help=text)


def add_trials(parser: argparse.ArgumentParser) -> None:
    """The number of trials of each experiment."""
    text = f"at most {MOST_TRIALS}; default: what the suite says"
    parser.add_argument("--trials", type=trials, metavar="N", help=text)


def add_seed(parser: argparse.ArgumentParser, default: int = 0) -> None:
    """The seed of the run."""
    parser.add_argument("--seed", type=seed, default=default, help=f"default: {default}")


def positive(text: str) -> int:
    """A whole number from 1 on, that jax's usual ones can hold."""
    return _from_one(text, 2**31 - 1)


def _from_one(text: str, most: int) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, not {text}")
    if int(text) > most:
        raise argparse.ArgumentTypeError(f"must be at most {most}, not {text}")
    return int(text)


def trials(text: str) -> int:
    """A number of trials that one file of rows may have of a seed."""
    return _from_one(text, MOST_TRIALS)


def shard(text: str) -> Shard:
    """A share of the trials: `2/8` is the second of eight."""
    number, slash, of = text.partition("/")
    if not slash or positive(number) > trials(of):
        raise argparse.ArgumentTypeError(f"must be I/N with I from 1 to N, not {text}")
    return Shard(int(number), int(of))


def seed(text: str) -> int:
    """A seed that reported trials may use."""
    if not text.isdecimal() or int(text) >= 2**31 or int(text) == search.SEED:
        raise argparse.ArgumentTypeError(
            f"must be a whole number from 0 to 2^31 - 1 other than {search.SEED} "
            f"(the seed of the search), not {text}"
        )
    return int(text)


def require_matplotlib() -> None:
    """Fails before anything is trained or drawn.

    Raises:
        UsageError: matplotlib is not there, or the environment variable MPLBACKEND is wrong.
    """
    try:
        importlib.import_module("matplotlib")  # here: no worker needs it
    except (ImportError, ValueError) as error:
        raise UsageError(f"matplotlib cannot draw: {' '.join(str(error).split())}") from error


def folder(out: Path | None, suite: str) -> Path:
    """A suite's folder of results."""
    return (out or RESULTS / "local").resolve() / suite


def console() -> Console:
    """Where to print: a table in a file or a pipe is as wide as it must be, not cut."""
    return PlainConsole() if sys.stdout.isatty() else PlainConsole(width=120)
