"""What the suites with modern learners share: cells, sizes, learner, criterion."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from benchmarks.learning.criteria import Inspection
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.learners import Adam
from benchmarks.running.search import DEFAULT, chosen_rates
from models.gru import GRU
from models.lstm import LSTM
from models.mut import MUT1, MUT2, MUT3
from models.network import Recurrent
from models.rnn import RNN
from tasks.sequence import FiniteTask, Task

CORE_CELLS = {"rnn": RNN, "lstm": LSTM, "gru": GRU, "mut1": MUT1, "mut2": MUT2, "mut3": MUT3}
HIDDEN = 16
RESULTS = Path(__file__).parents[2] / "results"

SOLVED_FRACTION = 0.95  # FIDELITY S3
FRESH = 512


class Point(NamedTuple):
    """A task as a suite has it: labels, generator, and the training sequences that a trial gets."""

    name: str
    delay: int
    task: Task
    budget: int


def experiments(
    points: Iterable[Point], trials: int, rates_of: str | None = None
) -> tuple[Experiment, ...]:
    """Every core cell on every task, with Adam at the chosen rates and the modern criterion.

    A trial is solved when at an inspection, every 100 updates, 95 % of 512 fresh sequences are
    right; of a task with fixed sets, when all strings of both are.

    Args:
        points: the tasks.
        trials: number of trials of each experiment.
        rates_of: the suite whose chosen rates to use; without, one default serves all.
    """
    rates = chosen_rates(RESULTS / rates_of) if rates_of else {}
    return tuple(
        Experiment(
            name,
            delay,
            cell,
            # FIDELITY S4
            Recipe(task, Recurrent(CORE_CELLS[cell], HIDDEN), Adam(), _criterion(task), budget),
            rates.get((name, cell), DEFAULT),
            trials,
        )
        for name, delay, task, budget in points
        for cell in CORE_CELLS
    )


def _criterion(task: Task) -> Inspection:
    if isinstance(task, FiniteTask):
        return Inspection(task.n_train + task.n_test, wrong_at_most=0)
    return Inspection.fraction_right(SOLVED_FRACTION, of=FRESH)
