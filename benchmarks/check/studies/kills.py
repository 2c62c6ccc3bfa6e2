"""Is a run that is killed again and again the same in the end?

    python -m benchmarks.check.studies.kills

Runs some trials to their end, and again with `kill -9` at moments spread over their training, each
followed by the same command. Rows (but for their seconds) and curves must be the same, byte for
byte. The figures go to docs/RELIABILITY.md.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmarks import suites
from benchmarks.check.studies import document
from benchmarks.learning.experiment import Experiment
from benchmarks.running import checkpoints, store


class Case(NamedTuple):
    """Some trials.

    Attributes:
        suite, name: of their experiment.
        budget: training sequences of each.
        trials: how many.
        rate: their learning rate, that of the suite if None.
    """

    suite: str
    name: str
    budget: int
    trials: int
    rate: float | None = None

    @property
    def experiment(self) -> Experiment:
        """Theirs."""
        known = {each.name: each for each in suites.load(self.suite).experiments}
        found = known[self.name]
        return replace(
            found,
            rate=self.rate or found.rate,
            trials=self.trials,
            recipe=replace(found.recipe, budget=self.budget),
        )


CASES = {
    "adding, LSTM, Adam": Case("quick", "adding-40.lstm", 200_000, 6, 1e-6),
    "two-sequence problem, net of 1997": Case("paper", "two-sequence-3a-n1-100.lstm97", 60_000, 20),
    "Reber grammar (fixed sets), net of 1997": Case("paper", "reber-4x1-05-9.lstm97", 100_000, 20),
}
KILLS = 10  # of each case
SPREAD = 4.0  # seconds of training after which the last of the kills come
GOLDEN = 0.6180339887  # its multiples, without their whole parts, are spread evenly over 0 to 1
EVERY = 0.3  # seconds between two checkpoints, in place of `checkpoints.EVERY`
UNABLE, INCOMPLETE = 2, 3  # exit statuses of a run that cannot begin, or not write its rows

SETUP = f"""
import io, sys
from pathlib import Path
from rich.console import Console
from benchmarks.check.studies.kills import Case
from benchmarks.running import checkpoints, runner
checkpoints.EVERY = {EVERY}
experiments = [each.experiment for each in eval(sys.argv[1])]
"""
RUN = f"""{SETUP}
from benchmarks.errors import IncompleteError, UsageError
try:
    console = Console(width=120)
    runner.run(experiments, int(sys.argv[3]), Path(sys.argv[2]), console, curves=True)
except (UsageError, IncompleteError) as error:
    print(error)
    sys.exit({UNABLE} if isinstance(error, UsageError) else {INCOMPLETE})
"""  # as a command ends, without asking for a suite


class Ended(NamedTuple):
    """What has come of a case.

    Attributes:
        kills: how many runs were killed.
        resumed: how many of the runs after a kill found a checkpoint.
        lost, twice, different: rows that the uninterrupted run has and this one has not; that
            this one has more than once; that differ in anything but the seconds.
        curves: whether the learning curves are the same, byte for byte.
        left: files that are left of checkpoints.
    """

    kills: int
    resumed: int
    lost: int
    twice: int
    different: int
    curves: bool
    left: int


def started(cases: Sequence[Case], out: Path, cache: Path, seed: int = 0) -> subprocess.Popen:
    """A run with frequent checkpoints, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, repr(tuple(cases)), str(out), str(seed)],
        env=environment(cache),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def environment(cache: Path) -> dict[str, str]:
    """Of a run that keeps compiled programs in this folder."""
    path = os.pathsep.join(sys.path)
    return os.environ | {"JAX_COMPILATION_CACHE_DIR": str(cache), "PYTHONPATH": path}


def killed(
    case: Case, out: Path, cache: Path, kills: int, spread: float = SPREAD
) -> tuple[int, int]:
    """Runs to the end through so many kills, if it takes as long; how many, and how many resumed.

    A kill comes up to `spread` seconds after the run's first checkpoint, before which it has
    nothing to lose.
    """
    done = resumed = 0
    while True:
        process = started([case], out, cache)
        began = time.time()
        while process.poll() is None and not written_since(out, began):
            time.sleep(0.05)
        if done < kills:
            time.sleep(done * GOLDEN % 1 * spread)
            process.kill()
        text, _ = process.communicate()
        resumed += "trials go on" in text
        if process.returncode == 0:
            return done, resumed
        if done == kills or process.returncode != -9:
            raise RuntimeError(text)
        done += 1


def written_since(out: Path, moment: float) -> bool:
    """Whether a run has saved something in its folder since then."""
    paths = [*out.glob(f"{checkpoints.FOLDER}/*.npz"), *out.glob("trials/*.csv")]
    for path in paths:
        try:
            if path.stat().st_mtime > moment:
                return True
        except FileNotFoundError:  # a moment ago it was there
            pass
    return False


def left(folder: Path) -> list[Path]:
    """Checkpoints and temporary files in a folder of rows."""
    return [*folder.glob(f"{checkpoints.FOLDER}/*"), *folder.glob("*/.*.csv.*")]


def compared(expected: Path, found: Path, kills: int, resumed: int) -> Ended:
    """The folder of a killed run beside that of an uninterrupted one."""
    mine, theirs = _rows(found), _rows(expected)
    trials = [dict(rows) for rows in (mine, theirs)]
    return Ended(
        kills,
        resumed,
        lost=len(trials[1].keys() - trials[0].keys()),
        twice=len(mine) - len(trials[0]),
        different=sum(trials[1].get(key, row) != row for key, row in trials[0].items()),
        curves=_curves(found) == _curves(expected),
        left=len(left(found)),
    )


def _rows(folder: Path) -> list[tuple[tuple, tuple]]:
    """Of each row which trial it is, and all that it says but how long it took."""
    rows = store.read_suite(folder).drop(columns="seconds").astype(str)
    keys = rows[store.IDENTITY].itertuples(index=False, name=None)
    return list(zip(keys, rows.itertuples(index=False, name=None), strict=True))


def _curves(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("curves/*.csv")}


def table(results: dict[str, Ended]) -> str:
    """What has come out, in Markdown."""
    lines = [
        {
            "trials": name,
            "kills": each.kills,
            "runs that went on from a checkpoint": each.resumed,
            "rows lost": each.lost,
            "rows twice": each.twice,
            "rows different": each.different,
            "curves": "the same" if each.curves else "others",
            "files left": each.left,
        }
        for name, each in results.items()
    ]
    return pd.DataFrame(lines).to_markdown(index=False)


def main() -> None:
    """Runs the study and writes what it has found into the document."""
    results = {}
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as scratch:
            once, often, cache = (Path(scratch) / each for each in ("once", "often", "cache"))
            killed(case, once, cache, kills=0)
            results[name] = compared(once, often, *killed(case, often, cache, KILLS))
        print(name, results[name], flush=True)
    document.put("kills", table(results), document.RELIABILITY)


if __name__ == "__main__":
    main()
