"""What the suites with modern learners share: cells, sizes, learner, criterion."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from benchmarks.learning.criteria import Inspection
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.learners import Adam
from benchmarks.running import search
from benchmarks.suites import sizes
from benchmarks.suites.cells import CORE, EVERY
from models.network import Recurrent
from tasks.sequence import FiniteTask, Growing, Task

HIDDEN = 16
RESULTS = Path(__file__).parents[2] / "results"

SOLVED_FRACTION = 0.95  # FIDELITY S3
FRESH = 512
LENGTHS = (2, 5, 10)  # times the delay, of sequences that solved networks are tested on

# FIDELITY S5
RATES = {
    ("adding", "gru"): 0.1,
    ("adding", "lstm"): 0.003,
    ("adding", "mut1"): 0.03,
    ("adding", "mut2"): 0.1,
    ("adding", "mut3"): 0.1,
    ("adding", "rnn"): 0.003,
    ("lag-2c", "gru"): 0.1,
    ("lag-2c", "lstm"): 0.003,
    ("lag-2c", "mut1"): 0.1,
    ("lag-2c", "mut2"): 0.1,
    ("lag-2c", "mut3"): 0.1,
    ("lag-2c", "rnn"): 0.003,
    ("multiplication", "gru"): 0.1,
    ("multiplication", "lstm"): 0.01,
    ("multiplication", "mut1"): 0.1,
    ("multiplication", "mut2"): 0.1,
    ("multiplication", "mut3"): 0.1,
    ("multiplication", "rnn"): 0.03,
    ("order-6a", "gru"): 0.1,
    ("order-6a", "lstm"): 0.003,
    ("order-6a", "mut1"): 0.03,
    ("order-6a", "mut2"): 0.1,
    ("order-6a", "mut3"): 0.1,
    ("order-6a", "rnn"): 0.03,
    ("reber", "gru"): 0.1,
    ("reber", "lstm"): 0.1,
    ("reber", "mut1"): 0.03,
    ("reber", "mut2"): 0.03,
    ("reber", "mut3"): 0.03,
    ("reber", "rnn"): 0.03,
    ("two-sequence", "gru"): 0.1,
    ("two-sequence", "lstm"): 0.001,
    ("two-sequence", "mut1"): 0.1,
    ("two-sequence", "mut2"): 0.1,
    ("two-sequence", "mut3"): 0.1,
    ("two-sequence", "rnn"): 0.01,
}
"""Rates by task and cell, of suites without a search of their own; else `DEFAULT_RATE`."""
DEFAULT_RATE = 0.01


class Point(NamedTuple):
    """A task as a suite has it: labels, generator, training sequences of a trial, trials."""

    name: str
    delay: int
    task: Task
    budget: int
    trials: int = 20


def experiments(
    points: Iterable[Point], trials: int, rates: dict[tuple[str, str], float] = RATES
) -> tuple[Experiment, ...]:
    """Every core cell with 16 units on every task.

    Args:
        points: the tasks.
        trials: number of trials of each experiment.
        rates: learning rates by task and cell.
    """
    return tuple(
        Experiment(
            point.name,
            point.delay,
            cell,
            recipe(point, Recurrent(CORE[cell], HIDDEN)),
            rates.get((point.name, cell), DEFAULT_RATE),
            trials,
        )
        for point in points
        for cell in CORE
    )


def searched(
    suite: str,
    points: Iterable[Point],
    cells: Iterable[str],
    lengths: tuple[int, ...] = LENGTHS,
) -> tuple[Experiment, ...]:
    """Cells with the weights of an LSTM with 16 units, as the search of the suite has chosen.

    Args:
        suite: its name.
        points: the tasks.
        cells: names in `suites.cells.EVERY`.
        lengths: how many times as long the sequences are that solved networks are also tested on,
            where a task can grow.
    """
    experiments = [
        Experiment(
            point.name,
            point.delay,
            cell,
            recipe(point, Recurrent(EVERY[cell], _matched(cell, point.task))),
            search.UNKNOWN.rate,
            point.trials,
            lengths=lengths if isinstance(point.task, Growing) else (),
        )
        for point in points
        for cell in cells
    ]
    return tuple(search.settled(experiments, RESULTS / suite))


def _matched(cell: str, task: Task) -> int:
    return sizes.hidden(cell, task.n_in, task.n_out)


def recipe(point: Point, model: Recurrent) -> Recipe:
    """Adam and the modern criterion.

    A trial is solved when at an inspection, every 100 updates, 95 % of 512 fresh sequences are
    right; of a task with fixed sets, when all strings of both are.
    """
    # FIDELITY S4
    return Recipe(point.task, model, Adam(), criterion(point.task), point.budget)


def criterion(task: Task) -> Inspection:
    """The modern criterion for a task."""
    if isinstance(task, FiniteTask):
        return Inspection(task.n_train + task.n_test, wrong_at_most=0)
    return Inspection.fraction_right(SOLVED_FRACTION, of=FRESH)
