"""What leaves the rows of a run the same to the last bit, and what leaves them alike?

    python -m benchmarks.check.studies.alike [PYTHON ...]

Runs some trials to their ends in several ways, each in a process of its own, and compares their
rows with those of the first way. The Pythons of other environments, with another jax for example,
are further ways. Success and sequences to success are compared by the tests of `check`. The figures
go to docs/RELIABILITY.md.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmarks.check import verdicts
from benchmarks.check.studies import document
from benchmarks.check.studies.kills import Case
from benchmarks.running import store

CASES = (
    Case("quick", "adding-40.lstm", 200_000, 20),
    Case("quick", "order-6a-50.gru", 200_000, 20),
    Case("paper", "two-sequence-3a-n1-100.lstm97", 400_000, 20),
    Case("paper", "order-6a-100.lstm97", 320_000, 20),
)

RUN = """
import sys
from pathlib import Path
from benchmarks.check.studies.kills import Case
from benchmarks.learning.lanes import Lanes, Run
from benchmarks.running import store
from benchmarks.running.jobs import split
from benchmarks.learning.states import NONE

cases, out, halvings, parts = eval(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])
for case in cases:
    for runs in split([[Run(case.experiment, i) for i in range(case.trials)]], parts):
        lanes = Lanes(0, runs, NONE, halvings)
        while lanes.busy:
            for result in lanes.block():
                store.add(out / "trials" / f"{case.name}.csv", result.rows)
"""


class Way(NamedTuple):
    """How trials are run.

    Attributes:
        name: what is different from the first way.
        halvings: how often the lanes are halved.
        parts: how many jobs share the trials.
        changes: environment variables.
        python: which Python.
    """

    name: str
    halvings: int = 0
    parts: int = 1
    changes: dict[str, str] = {}
    python: str = sys.executable


WAYS = (
    Way("nothing"),
    Way("two jobs, as on two cores", parts=2),
    Way("five jobs, as in five shards", parts=5),
    Way("half as many lanes", halvings=1),
    Way("a quarter of the lanes", halvings=2),
    Way("without our compiler options (`BENCHMARKS_XLA=0`)", changes={"BENCHMARKS_XLA": "0"}),
)


def rows(way: Way, folder: Path, cases: tuple[Case, ...] = CASES) -> pd.DataFrame:
    """Rows of trials that are run in this way."""
    subprocess.run(
        [way.python, "-c", RUN, repr(cases), folder, str(way.halvings), str(way.parts)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])} | way.changes,
        check=True,
    )
    return store.read_suite(folder)


SHOWN = ["outcome", "sequences", "seen", "test_wrong", "test_error"]


def line(way: Way, mine: pd.DataFrame, first: pd.DataFrame) -> dict[str, str]:
    """A way beside the first one."""
    key = ["experiment", "trial"]
    ours, theirs = (
        each.set_index(key)[SHOWN].sort_index().astype("string").fillna("")  # nothing equals NA
        for each in (mine, first)
    )
    same = (ours == theirs).all(axis=1)
    names = first["experiment"].unique()
    pairs = [(verdicts.of(name, mine), verdicts.of(name, first)) for name in names]
    return {
        "what is different": way.name,
        "jax": mine["jax"].iloc[0],
        "rows the same": f"{same.sum()} of {len(same)}",
        "solved": f"{(mine['outcome'] == 'solved').sum()} of {len(mine)}",
        "smallest p": f"{min(map(min, verdicts.corrected(pairs))):.2f}",
    }


def main(pythons: list[str]) -> None:
    """Runs the study and writes what it has found into the document."""
    ways = [
        *WAYS,
        *(Way(f"another environment ({n})", python=each) for n, each in enumerate(pythons, 1)),
    ]
    lines = []
    with tempfile.TemporaryDirectory() as scratch:
        first = None
        for number, way in enumerate(ways):
            found = rows(way, Path(scratch) / str(number))
            first = found if first is None else first
            lines.append(line(way, found, first))
            print(lines[-1], flush=True)
    document.put("alike", pd.DataFrame(lines).to_markdown(index=False), document.RELIABILITY)


if __name__ == "__main__":
    main(sys.argv[1:])
