"""Signals that ask this process to stop, noticed between two steps instead of in the midst of one.

A row that is being written, or an answer that is being read, is not cut in two. Asked twice, the
process stops at once.
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from benchmarks.errors import UsageError

ASKING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
"""Ctrl-C, the end of a job's time, a closed terminal; Windows has no SIGHUP."""


class Asked(KeyboardInterrupt):
    """A signal with this `number` asked the process to stop."""

    def __init__(self, number: int):
        super().__init__()
        self.number = number


class Stop:
    """Notices these signals.

    Attributes:
        signal: the one that came, None before.
    """

    def __init__(self):
        self.signal: int | None = None

    def notice(self, number: int, frame: FrameType | None) -> None:
        """Notes the first signal; at another, stops at once."""
        if self.signal is not None:
            raise Asked(number)
        self.signal = number


@contextlib.contextmanager
def noticed() -> Iterator[Stop]:
    """Only notes these signals, and does at its end what they would have done.

    Signals that are ignored (by `nohup`, say) stay so; only the main thread can notice any.
    """
    stop = Stop()
    with _handled_by(stop.notice):
        try:
            yield stop
        except UsageError:
            if stop.signal is None:  # else of a worker that the same signal has ended
                raise
    if stop.signal is not None:
        signal.raise_signal(stop.signal)


@contextlib.contextmanager
def interrupted_by_all() -> Iterator[None]:
    """Makes an interrupt of every signal that asks this process to stop and is not ignored."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Asked(number)

    with _handled_by(interrupt):
        yield


@contextlib.contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Lets a function handle these signals, in the main thread, unless they are ignored."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        for each in ASKING:
            if signal.getsignal(each) not in (signal.SIG_IGN, None):
                before[each] = signal.signal(each, handler)
    try:
        yield
    finally:
        for each, old in before.items():
            signal.signal(each, old)
