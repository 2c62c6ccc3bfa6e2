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
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmarks.check.studies import document
from benchmarks.running import checkpoints, store

CASES: dict[str, list[str]] = {
    "adding-40, LSTM, Adam": [
        *("quick", "adding-40.lstm", "--rate", "0.000001"),
        *("--budget", "200000", "--trials", "6"),
    ],
    "two-sequence, net of 1997": [
        *("paper", "two-sequence-3a-n1-100.lstm97"),
        *("--budget", "20000", "--trials", "20"),
    ],
    "Reber grammar (fixed sets), net of 1997": [
        *("paper", "reber-4x1-05-9.lstm97"),
        *("--budget", "20000", "--trials", "20"),
    ],
}
KILLS = 10  # of each case
SPREAD = 4.0  # seconds of training after which the last of the kills come
GOLDEN = 0.6180339887  # its multiples, without their whole parts, are spread evenly over 0 to 1
EVERY = 0.3  # seconds between two checkpoints, in place of `checkpoints.EVERY`

RUN = f"""
import sys
from benchmarks.cli.main import main
from benchmarks.running import checkpoints, jobs
checkpoints.EVERY = {EVERY}
sys.exit(main(["run", *sys.argv[1:]]))
"""


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


def started(arguments: Sequence[str], out: Path, cache: Path) -> subprocess.Popen:
    """A run with frequent checkpoints, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments, "--out", str(out)],
        env=os.environ
        | {"JAX_COMPILATION_CACHE_DIR": str(cache), "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def killed(arguments: Sequence[str], out: Path, cache: Path, kills: int) -> tuple[int, int]:
    """Runs to the end through so many kills, if it takes as long; how many, and how many resumed.

    A kill comes some time after the run's first checkpoint, before which it has nothing to lose.
    """
    done = resumed = 0
    while True:
        process = started(arguments, out, cache)
        began = time.time()
        while process.poll() is None and not _written_since(out, began):
            time.sleep(0.05)
        if done < kills:
            time.sleep(done * GOLDEN % 1 * SPREAD)
            process.kill()
        text, _ = process.communicate()
        resumed += "trials go on" in text
        if process.returncode == 0:
            return done, resumed
        if done == kills or process.returncode != -9:
            raise RuntimeError(text)
        done += 1


def _written_since(out: Path, moment: float) -> bool:
    """Whether a run has saved something in its folder since then."""
    paths = [*out.glob(f"*/{checkpoints.FOLDER}/*.npz"), *out.glob("*/trials/*.csv")]
    for path in paths:
        try:
            if path.stat().st_mtime > moment:
                return True
        except FileNotFoundError:  # a moment ago it was there
            pass
    return False


def compared(expected: Path, found: Path, kills: int, resumed: int) -> Ended:
    """The suite's folder of a killed run beside that of an uninterrupted one."""
    mine, theirs = _rows(found), _rows(expected)
    trials = [dict(rows) for rows in (mine, theirs)]
    return Ended(
        kills,
        resumed,
        lost=len(trials[1].keys() - trials[0].keys()),
        twice=len(mine) - len(trials[0]),
        different=sum(trials[1].get(key, row) != row for key, row in trials[0].items()),
        curves=_curves(found) == _curves(expected),
        left=len([*found.glob(f"{checkpoints.FOLDER}/*"), *found.glob("*/.*.csv.*")]),
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
    for name, arguments in CASES.items():
        with tempfile.TemporaryDirectory() as scratch:
            once, often, cache = (Path(scratch) / each for each in ("once", "often", "cache"))
            killed(arguments, once, cache, kills=0)
            counts = killed(arguments, often, cache, KILLS)
            results[name] = compared(once / arguments[0], often / arguments[0], *counts)
        print(name, results[name], flush=True)
    document.put("kills", table(results), document.RELIABILITY)


if __name__ == "__main__":
    main()
