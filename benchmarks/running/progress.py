"""What a person sees while trials train: bars on a terminal, plain lines elsewhere."""

import contextlib
import time
from collections import Counter

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from benchmarks.analysis.tables import quantity
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.lanes import BlockResult

QUIET_SECONDS = 60  # without a terminal, a sign of life of each experiment this often


class Watched:
    """Counts of one experiment that is being run."""

    def __init__(self, experiment: Experiment, trials: int):
        self.experiment, self.trials = experiment, trials
        self.seconds = 0.0
        self.told = time.monotonic()
        self.seen = self.spared = self.solved = self.finished = 0

    def add(self, result: BlockResult) -> None:
        """Adds what a block of a job brought."""
        self.seen += result.seen
        self.seconds += result.seconds
        self.finished += len(result.rows)
        self.solved += sum(row["outcome"] == "solved" for row in result.rows)
        self.spared += sum(row["budget"] - row["seen"] for row in result.rows)

    @property
    def total(self) -> int:
        """Sequences if every trial used its whole budget."""
        return self.experiment.recipe.budget * self.trials

    @property
    def completed(self) -> int:
        """Sequences seen and sequences that a finished trial did not need."""
        return self.seen + self.spared

    @property
    def speed(self) -> float:
        """Sequences a second of one worker."""
        return self.seen / max(self.seconds, 1e-9)

    @property
    def short(self) -> str:
        """What stands beside the bar: trials solved, sequences, speed."""
        if not self.seen:
            return "compiling"
        return f"{self.solved}/{self.trials} {quantity(self.seen)} {quantity(self.speed)}/s"

    def __str__(self) -> str:
        return (
            f"{self.solved}/{self.finished} solved of {self.trials}, "
            f"{quantity(self.seen)} sequences, {quantity(self.speed)}/s"
        )


class View:
    """Shows the experiments of a run; a context manager around the training.

    Those of one name, configurations of a search, are shown as one.
    """

    def __init__(self, console: Console, trials: dict[Experiment, int]):
        self.console = console
        self.trials: Counter[str] = Counter()
        for experiment, count in trials.items():
            self.trials[experiment.name] += count
        self.closed = 0
        self.watched: dict[str, Watched] = {}
        self.bars: dict[str, TaskID] = {}
        self.progress = Progress(
            TextColumn("{task.description:<30}", markup=False),
            BarColumn(bar_width=14),
            TextColumn("{task.fields[text]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=console,
            disable=not console.is_terminal,
        )
        self.overall = self.progress.add_task("all experiments", total=len(self.trials), text="")
        self.where = ""

    def __enter__(self) -> "View":
        self.progress.start()
        return self

    def __exit__(self, *_) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone
            self.progress.stop()

    def show(self, result: BlockResult) -> None:
        """Shows a result of an experiment: its first opens a bar, its last closes it."""
        name = result.experiment.name
        if name not in self.watched:
            watched = self.watched[name] = Watched(result.experiment, self.trials[name])
            self.bars[name] = self.progress.add_task(name, total=watched.total, text="")
        watched = self.watched[name]
        watched.add(result)
        self.progress.update(self.bars[name], completed=watched.completed, text=watched.short)
        if watched.finished == watched.trials:
            self._close(name)
        elif not self.console.is_terminal and time.monotonic() - watched.told > QUIET_SECONDS:
            watched.told = time.monotonic()
            self.tell(f"... {name}: {watched}")

    def place(self, where: str) -> None:
        """Shows on which cluster they run, with how many workers, whenever that has changed."""
        if where != self.where:
            self.where = where
            self._count()
            if not self.console.is_terminal:
                self.tell(where)

    def tell(self, text: str) -> None:
        """Prints a line."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _close(self, name: str) -> None:
        self.closed += 1
        self.tell(f"[{self.closed}/{len(self.trials)}] {name}: {self.watched[name]}")
        self.progress.remove_task(self.bars.pop(name))
        self._count()

    def _count(self) -> None:
        text = f"{self.closed}/{len(self.trials)} {self.where}".strip()
        self.progress.update(self.overall, completed=self.closed, text=text)
