"""Signals that ask this process to stop, noticed between two steps instead of in the midst of one.

A row that is being written, or an answer that is being read, is not cut in two. Asked twice, the
process stops at once.
"""

import contextlib
import signal
import threading
from types import FrameType

ASKING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
"""Ctrl-C, the end of a job's time, a closed terminal; Windows has no SIGHUP."""


class Stop:
    """Notices these signals; a context manager that does at its end what they would have done.

    Signals that were ignored before (by `nohup`, say) still are. Only the main thread can notice
    any.

    Attributes:
        signal: the one that came, None before.
    """

    def __init__(self):
        self.signal: int | None = None
        self._handlers: dict[int, object] = {}

    def __enter__(self) -> "Stop":
        if threading.current_thread() is threading.main_thread():
            for each in ASKING:
                if signal.getsignal(each) not in (signal.SIG_IGN, None):
                    self._handlers[each] = signal.signal(each, self._notice)
        return self

    def __exit__(self, *_) -> None:
        for each, handler in self._handlers.items():
            signal.signal(each, handler)  # type: ignore[arg-type]  # what `signal` has returned
        if self.signal is not None:
            signal.raise_signal(self.signal)

    def _notice(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number


class Asked(KeyboardInterrupt):
    """A process was asked to stop by another signal than Ctrl-C, its `number`."""

    def __init__(self, number: int):
        super().__init__()
        self.number = number


def interrupted_by_all() -> None:
    """Makes an interrupt of every signal that asks this process to stop and is not ignored."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Asked(number)

    for each in ASKING:
        with contextlib.suppress(ValueError):  # not in the main thread
            if signal.getsignal(each) == signal.SIG_DFL:
                signal.signal(each, interrupt)
