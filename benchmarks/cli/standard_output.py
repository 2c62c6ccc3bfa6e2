"""What a command prints: losing it changes neither the work nor the status.

A reader may have had enough (`| head`), a disk may be full, and the output may be closed from the
start. The work goes on in each case, and `check` still says by its status what it has found.
"""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO


class Output:
    """Passes texts on to a stream, and nowhere once it takes no more.

    Attributes:
        error: why it takes no more; None while it does, or if its reader just has had enough.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream
        self.error: OSError | None = None

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes a text."""
        with self._kept():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Passes on what has been held back."""
        with self._kept():
            self._stream.flush()

    @contextlib.contextmanager
    def _kept(self) -> Iterator[None]:
        """Sends what is left of an output that takes no more, and all that follows, nowhere."""
        try:
            yield
        except OSError as error:
            if error.errno != errno.EPIPE:
                self.error = error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextlib.contextmanager
def kept() -> Iterator[Output]:
    """Makes the standard output such a one; one that is closed from the start leads nowhere."""
    with contextlib.ExitStack() as stack:
        stream = sys.stdout or stack.enter_context(open(os.devnull, "w"))
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # of characters that it does not have
        output = Output(stream)
        stack.enter_context(contextlib.redirect_stdout(output))
        try:
            yield output
        finally:
            output.flush()
