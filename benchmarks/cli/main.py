"""Reads a command and carries it out."""

import argparse
import contextlib
import signal
import sys
import traceback
from pathlib import Path

import jax

from benchmarks.cli import (
    baseline,
    check,
    compare,
    doctor,
    flow,
    inspect,
    listing,
    merge,
    report,
    run,
    sample,
    search,
    speed,
    standard_output,
    status,
    table,
)
from benchmarks.errors import IncompleteError, UsageError, one_line
from benchmarks.running.files import short
from benchmarks.running.guarded import one_line_of, oneline
from benchmarks.running.stopping import interrupted_by_all

COMMANDS = (
    *(listing, run, status, table, search, report, inspect, flow, sample),
    *(merge, compare, check, baseline, speed, doctor),
)

EXAMPLES = """\
examples:
  python -m benchmarks list                      the suites
  python -m benchmarks list quick                the experiments of a suite
  python -m benchmarks run quick                 run a suite and print its table
  python -m benchmarks run quick 'adding-*'      only some experiments (a shell pattern)
  python -m benchmarks run quick --cell my.py:MyCell
                                                 the suite's tasks with your own cell, a class
                                                 made as MyCell(n_in, n_hidden, rngs=...)
  python -m benchmarks table quick               the table again, with the committed reference
  python -m benchmarks report quick lags         a page with figures and statistics of each
  python -m benchmarks inspect quick adding-40.lstm
                                                 train one trial, draw its gates and error flow
  python -m benchmarks sample quotes-10.lstm     let a trained net write
  python -m benchmarks check                     regression check against the baseline

A run that was interrupted continues where it stopped: give the same command again.
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs a command.

    Returns:
        The exit status: 0, 1 when a check finds a regression, 2 on misuse, 3 if part of the work
        could not be done or kept, 128 and the signal's number when interrupted by one.
    """
    # This process only draws and writes; a GPU belongs to the workers that it starts.
    jax.config.update("jax_platforms", "cpu")
    with standard_output.kept() as output:
        status = _status(arguments)
    if output.error is not None:
        _tell(f"not all could be printed ({output.error.strerror})")
        return status or 3
    return status


def _status(arguments: list[str] | None) -> int:
    """Runs a command, and tells what keeps it from its end."""
    kept = ""
    try:
        with interrupted_by_all():
            options = _parser().parse_args(arguments)
            if options.resumes:
                kept = "; what is done is kept, and the same command continues"
            with one_line_of(_unexpected):
                return options.command(options) or 0
    except SystemExit:  # of --help alone: those of a command are errors
        return 0
    except UsageError as error:
        _tell(str(error))
        return 2
    except IncompleteError as error:
        _tell(str(error))
        return 3
    except KeyboardInterrupt as interrupt:
        _tell(f"interrupted{kept}")
        return 128 + getattr(interrupt, "number", signal.SIGINT)


def _tell(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(f"benchmarks: {one_line(text)}", file=sys.stderr)


def _unexpected(error: BaseException) -> str:
    """The line about an error that nobody has foreseen: a file's, or with where it was raised.

    With `python -X dev` its traceback comes first.
    """
    if sys.flags.dev_mode:
        traceback.print_exception(error)
    if isinstance(error, OSError) and error.filename:
        return f"{short(Path(str(error.filename)))}: {error.strerror}; name another file or folder"
    *_, last = traceback.extract_tb(error.__traceback__)
    place = f"{last.filename}, line {last.lineno}"
    return f"unexpected {oneline(error)} ({place}); python -X dev -m benchmarks ... tells more"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise UsageError(f"{message}; see python -m benchmarks --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m benchmarks",
        description="Long-time-lag tasks of Hochreiter & Schmidhuber 1997 for recurrent cells.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
