"""Does anything get lost in an hour of bad luck?

    python -m benchmarks.check.studies.soak [SECONDS]

In rounds, each with a seed of its own: a mixed suite runs undisturbed, all rounds in one process;
and then again on a small disk through faults at random moments: the run is killed, one of its
workers is killed, the disk is full for some seconds, a second process runs the same command. What
has ended is started anew. In the end rows (but for their seconds) and curves must be the same. The
figures go to docs/RELIABILITY.md.

Needs Linux and the right to mount a file system, for the small disk.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import jax
import pandas as pd

from benchmarks.check.studies import document, kills
from benchmarks.check.studies.kills import Case, Ended

Thing = TypeVar("Thing")

SECONDS = 3600
CASES = (
    Case("quick", "adding-40.lstm", 60_000, 4, 1e-6),
    Case("quick", "two-sequence-50.gru", 60_000, 8),
    Case("paper", "two-sequence-3a-n1-100.lstm97", 20_000, 16),
    Case("paper", "reber-4x1-05-9.lstm97", 30_000, 16),
)
FAULTS = 8  # of each round, then it is left alone
CALM = 3.0  # seconds of training at most before the next fault
FULL = 4.0  # seconds at most for which the disk is full
DISK = "8m"
INTERVALS = 6  # of the time, in each of which memory is looked at

ROUNDS = f"""{kills.SETUP}
for line in sys.stdin:
    seed, _, out = line.strip().partition(" ")
    runner.run(experiments, int(seed), Path(out), Console(file=io.StringIO()), curves=True)
    print("done", flush=True)
"""


@dataclass
class Troubled:
    """A suite that runs through faults, again and again until it is complete.

    Attributes:
        out, cache: folders of its rows and of compiled programs.
        seed: of its trials.
        running: its processes; more than one while there is a second writer.
        faults: how many of each kind there were.
        ended: exit statuses of its processes.
        resumed: how many processes went on from a checkpoint.
    """

    out: Path
    cache: Path
    seed: int
    running: list[subprocess.Popen] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    ended: Counter[int] = field(default_factory=Counter)
    resumed: int = 0

    def __post_init__(self):
        self._chance = iter(jax.random.uniform(jax.random.key(self.seed), (1000,)).tolist())

    def through(self, faults: int) -> None:
        """Runs it to its end; it is over earlier if no trial is left."""
        kinds = (self.kill, self.kill_worker, self.fill_disk, self.second_writer)
        for _ in range(faults):
            if not self._in_training():
                break
            time.sleep(next(self._chance) * CALM)
            self._one_of(kinds)()
        while self._in_training():
            time.sleep(0.2)
        self._start()  # finds all rows, and removes what a killed second writer has left
        self.running.pop().communicate()

    def kill(self) -> None:
        """Kills a run."""
        self.faults["runs killed"] += 1
        self._one_of(self.running).kill()

    def kill_worker(self) -> None:
        """Kills a worker of a run, if it has any."""
        workers = [each for run in self.running for each in children(run.pid)]
        if workers:
            self.faults["workers killed"] += 1
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._one_of(workers), signal.SIGKILL)

    def fill_disk(self) -> None:
        """Leaves no byte free for some seconds."""
        self.faults["disks full"] += 1
        filler = self.out.parent / "filler"
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        time.sleep(next(self._chance) * FULL)
        filler.unlink()

    def second_writer(self) -> None:
        """Starts the same command once more."""
        self.faults["second writers"] += 1
        self._start()

    def _one_of(self, things: Sequence[Thing]) -> Thing:
        return things[int(next(self._chance) * len(things))]

    def _start(self) -> None:
        self.running.append(kills.started(CASES, self.out, self.cache, self.seed))

    def _in_training(self) -> bool:
        """Waits until a run writes something; of the end of one, whether any other goes on."""
        began = time.time()
        while True:
            if not self.running:
                self._start()
            for process in [each for each in self.running if each.poll() is not None]:
                self.running.remove(process)
                if self._is_complete(process):
                    return bool(self.running)
            if self.running and kills.written_since(self.out, began):
                return True
            time.sleep(0.05)

    def _is_complete(self, process: subprocess.Popen) -> bool:
        text, _ = process.communicate()
        self.resumed += "trials go on" in text
        self.ended[process.returncode] += 1
        if process.returncode not in (0, -signal.SIGKILL, kills.UNABLE, kills.INCOMPLETE):
            raise RuntimeError(f"exit status {process.returncode}: {text}")
        return process.returncode == 0


def children(process: int) -> list[int]:
    """Worker processes of a run."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (path / "stat").read_text().rpartition(") ")[2].split()[1]
            if int(parent) == process and b"spawn_main" in (path / "cmdline").read_bytes():
                found.append(int(path.name))
    return found


def resident(process: int) -> float:
    """Its memory in MB."""
    with contextlib.suppress(OSError):
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return float("nan")


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system in memory that is soon full."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@dataclass
class Round:
    """What has come of a round.

    Attributes:
        after: seconds since the beginning.
        ended: its rows beside those of the undisturbed run.
        troubled: the run.
        parent, workers: MB of the process that runs undisturbed, and of its largest worker.
        load: how many processes wanted a core, on average over a minute.
    """

    after: float
    ended: Ended
    troubled: Troubled
    parent: float
    workers: float
    load: float


class Undisturbed:
    """A process that runs the suite to its end, round after round; a context manager.

    Attributes:
        largest: MB of the largest worker of the latest round.
    """

    def __init__(self, cache: Path):
        self.cache, self.largest = cache, 0.0

    def __enter__(self) -> "Undisturbed":
        self.process = subprocess.Popen(
            [sys.executable, "-c", ROUNDS, repr(CASES)],
            env=kills.environment(self.cache),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    def __exit__(self, *_) -> None:
        self.process.communicate()

    def run(self, seed: int, out: Path) -> None:
        """A round."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{seed} {out}\n".encode())
        self.process.stdin.flush()
        self.largest = 0.0
        while not select.select([self.process.stdout], [], [], 0.5)[0]:
            self.largest = max([self.largest, *map(resident, children(self.process.pid))])
        if not self.process.stdout.readline():
            raise RuntimeError(f"the undisturbed run has ended, status {self.process.wait()}")


def soaked(seconds: float, scratch: Path, tell: Callable[[list[Round]], None]) -> None:
    """Rounds until so many seconds are over; tells of them after each."""
    began, rounds = time.monotonic(), list[Round]()
    with Undisturbed(scratch / "cache") as undisturbed:
        while time.monotonic() - began < seconds:
            seed = len(rounds)
            once = scratch / f"once{seed}"
            undisturbed.run(seed, once)
            with small_disk(scratch / f"disk{seed}") as disk:
                troubled = Troubled(disk / "often", scratch / "cache", seed)
                troubled.through(FAULTS)
                kinds = troubled.faults.total()
                ended = kills.compared(once, troubled.out, kinds, troubled.resumed)
            memory = resident(undisturbed.process.pid), undisturbed.largest
            after, load = time.monotonic() - began, os.getloadavg()[0]
            rounds.append(Round(after, ended, troubled, *memory, load))
            tell(rounds)


def text(rounds: list[Round]) -> str:
    """What has come out, in Markdown."""
    faults = sum((each.troubled.faults for each in rounds), Counter[str]())
    ended = sum((each.troubled.ended for each in rounds), Counter[int]())
    figures = {
        "minutes": f"{rounds[-1].after / 60:.0f}",
        "rounds": len(rounds),
        "rows of trials": len(rounds) * sum(case.trials for case in CASES),
        **{each: faults[each] for each in sorted(faults)},
        "processes that found all done or did the rest": ended[0],
        "processes that the full disk ended": ended[kills.UNABLE] + ended[kills.INCOMPLETE],
        "processes that went on from a checkpoint": sum(each.ended.resumed for each in rounds),
        "rows lost": sum(each.ended.lost for each in rounds),
        "rows twice": sum(each.ended.twice for each in rounds),
        "rows different": sum(each.ended.different for each in rounds),
        "rounds with other curves": sum(not each.ended.curves for each in rounds),
        "checkpoints and temporary files left": sum(each.ended.left for each in rounds),
        "processes that wanted a core, on average": f"{_mean(rounds, 'load'):.1f}",
    }
    table = pd.DataFrame({"what": figures.keys(), "": [str(each) for each in figures.values()]})
    return f"{table.to_markdown(index=False)}\n\n{memory(rounds)}"


def memory(rounds: list[Round]) -> str:
    """Memory over time, in Markdown."""
    length = rounds[-1].after / INTERVALS
    lines = []
    for number in range(INTERVALS):
        some = [each for each in rounds if number * length < each.after <= (number + 1) * length]
        if some:
            lines.append(
                {
                    "minutes": f"{number * length / 60:.0f} to {(number + 1) * length / 60:.0f}",
                    "MB of the process that ran all rounds": f"{_mean(some, 'parent'):.0f}",
                    "MB of its largest worker": f"{_mean(some, 'workers'):.0f}",
                }
            )
    return pd.DataFrame(lines).to_markdown(index=False)


def _mean(rounds: list[Round], name: str) -> float:
    return sum(getattr(each, name) for each in rounds) / len(rounds)


def _tell(rounds: list[Round]) -> None:
    done = rounds[-1]
    print(f"{done.after:.0f} s", dict(done.troubled.faults), done.ended, flush=True)
    document.put("soak", text(rounds), document.RELIABILITY)


def main(seconds: float) -> None:
    """Runs the study; after every round it writes what it has found into the document."""
    with tempfile.TemporaryDirectory() as scratch:
        soaked(seconds, Path(scratch), _tell)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
