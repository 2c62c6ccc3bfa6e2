"""The command line: `python -m benchmarks --help` tells its commands."""

import sys

from benchmarks.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
