"""The command line: `python -m benchmarks --help` tells its commands."""

import os
import signal
import sys


def _leave(number, frame) -> None:
    """Ends the process while nothing has been begun: an interrupted import would print much."""
    os.write(2, b"benchmarks: interrupted; the same command starts again\n")
    os._exit(128 + number)


if __name__ == "__main__":
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, signal.SIGINT)
        if signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL):
            signal.signal(number, _leave)
    from benchmarks.cli.main import main

    sys.exit(main())
