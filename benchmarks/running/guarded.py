"""Running code of the user's: whatever it does ends as one line."""

import contextlib
import os
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator

from benchmarks.errors import IncompleteError, UsageError

PATIENCE = 60  # seconds that a file may take to import: torch takes ten


@contextlib.contextmanager
def guarded(failure: str) -> Iterator[None]:
    """Makes one line of an error, an exit or an endless loop in the user's code.

    Args:
        failure: what it means, the beginning of the line.

    Raises:
        UsageError: any of these.
    """
    with one_line_of(lambda error: f"{failure}: {oneline(error)}"), _in_time():
        yield


@contextlib.contextmanager
def one_line_of(told: Callable[[BaseException], str]) -> Iterator[None]:
    """Makes one line of whatever ends a piece of work other than an interrupt: exits, too.

    Args:
        told: the line.

    Raises:
        UsageError: with that line.
    """
    leave = os._exit
    os._exit = lambda status: sys.exit(status)
    try:
        yield
    except (UsageError, IncompleteError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise UsageError(told(error)) from error
    finally:
        os._exit = leave


def oneline(error: BaseException) -> str:
    """An error in one line, not too long."""
    try:
        text = str(error)
    except Exception:  # of a user's error that cannot even be told
        text = "<exception str() failed>"
    text = textwrap.shorten(text, 1000, placeholder=" ...")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class TooLong(BaseException):
    """Not an `Exception`: the user's code might catch that and go on."""


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    """Raises `TooLong` after a while, where the system can: in the main thread, not on Windows."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not hasattr(signal, "setitimer"):
        yield
        return

    def late(*_):
        raise TooLong(f"not done after {PATIENCE} seconds; is there an endless loop?")

    handler = signal.signal(signal.SIGALRM, late)
    timer = signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)
