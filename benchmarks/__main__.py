"""The command line: `python -m benchmarks --help` tells its commands."""

import os
import signal
import sys


def _leave(number, frame) -> None:
    """Ends the process while nothing has been begun: an interrupted import would print much."""
    os.write(2, b"benchmarks: interrupted; the same command starts again\n")
    os._exit(128 + number)


if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    from benchmarks.cli.main import main

    status = main()
    sys.stdout.flush()
    sys.exit(status)
