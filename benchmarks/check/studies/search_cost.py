"""What does a search cost beside the same trials with equal settings?

    python -m benchmarks.check.studies.search_cost     # twenty minutes on 2 idle cores

Configurations that differ in numbers only are lanes of one program, so a search should cost no more
than as many trials of one configuration. Both are run from nothing to their last row, on a task
that none of them solves, and the time for a training sequence is compared: where a number
overflows, a trial ends early. The figures go to docs/PERFORMANCE.md.
"""

import io
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import jax
import pandas as pd
from rich.console import Console

from benchmarks import suites
from benchmarks.check.studies import document
from benchmarks.learning.experiment import Experiment
from benchmarks.running import runner, search, store

PAGE = document.DOCS / "PERFORMANCE.md"
EXPERIMENTS = "copy-100.lstm", "copy-100.rnn"  # of suite `compare`
COUNT = 24


def silent() -> Console:
    """Shows nobody how far it is."""
    return Console(file=io.StringIO())


def microseconds(rows: pd.DataFrame, seconds: float) -> float:
    """For a training sequence."""
    return 1e6 * seconds / rows["seen"].sum()


def searched(base: Experiment) -> tuple[pd.DataFrame, float]:
    """Rows of a search, and how many seconds it took."""
    with tempfile.TemporaryDirectory() as scratch:
        began = time.monotonic()
        search.search([base], COUNT, Path(scratch), silent())
        seconds = time.monotonic() - began
        return store.read_suite(Path(scratch) / "search"), seconds


def equal(base: Experiment, trials: int) -> tuple[pd.DataFrame, float]:
    """Rows of so many trials with equal settings, and how many seconds they took."""
    with tempfile.TemporaryDirectory() as scratch:
        began = time.monotonic()
        runner.run([replace(base, trials=trials)], search.SEED, Path(scratch), silent())
        seconds = time.monotonic() - began
        return store.read_suite(Path(scratch)), seconds


def line(base: Experiment) -> dict[str, str]:
    """A search beside trials with equal settings."""
    there, took = searched(base)
    here, alone = equal(base, len(there))
    ours, theirs = microseconds(there, took), microseconds(here, alone)
    return {
        "experiment": base.name,
        "trials": f"{len(there)}",
        "search": f"{took:.0f} s, {ours:.2f} us/sequence",
        "equal settings": f"{alone:.0f} s, {theirs:.2f} us/sequence",
        "search / equal settings": f"{ours / theirs:.2f}",
    }


def main() -> None:
    """Runs the study and writes what it has found into the document."""
    jax.config.update("jax_platforms", "cpu")
    known = {each.name: each for each in suites.load("compare").experiments}
    lines = [line(search.untested(known[name])) for name in EXPERIMENTS]
    text = pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)
    print(text)
    document.put("search", text, PAGE)


if __name__ == "__main__":
    main()
