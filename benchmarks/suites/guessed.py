"""How easy is a task? Random guesses of all weights of a small net, a column of success tables."""

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from benchmarks.analysis import tables
from benchmarks.analysis.statistics import median_sequences, success_rate
from benchmarks.learning.criteria import WholeSet
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.learners import Guessing
from benchmarks.running import store
from benchmarks.suites.common import RESULTS
from models.network import Recurrent
from models.rnn import RNN
from tasks.sequence import FiniteTask, Task

SUITE = "guesses"
HIDDEN = 4
TRIALS = 10
SEQUENCES = 100
AT_ONCE = 1024
"""Guesses that are tried side by side."""
MOST = 1000
"""Times `AT_ONCE`, the guesses of a trial."""
WORK = 1_000_000
"""Steps times inputs times that: for long sequences with many inputs, guesses are fewer."""


def guessed(name: str, delay: int, task: Task) -> Experiment:
    """Guesses for a task, which is called by this name and delay."""
    # FIDELITY G5
    many = task.n_train if isinstance(task, FiniteTask) else SEQUENCES
    recipe = Recipe(
        task,
        Recurrent(RNN, HIDDEN),
        Guessing(sequences=many),
        WholeSet(many),
        AT_ONCE * max(1, min(MOST, WORK // (task.steps * task.n_in))),
        AT_ONCE,
        test_size=SEQUENCES,
    )
    return Experiment(name, delay, "guessing", recipe, 0.0, TRIALS)


def by_task(experiments: Iterable[Experiment]) -> dict[Task, Experiment]:
    """Guesses for each task of some experiments, called as the first of them calls it."""
    found: dict[Task, Experiment] = {}
    for each in experiments:
        task = each.recipe.task
        found.setdefault(task, guessed(each.task, each.delay, task))
    return found


def beside(experiments: Sequence[Experiment]) -> dict[str, str]:
    """What guessing solves of the tasks of some experiments, in the committed rows.

    Returns:
        By task and delay, solved trials of all and, in a second line, the median number of guesses
        (`>`: more than were tried). Tasks for which nobody has guessed are left out.
    """
    rows, themselves = _committed(RESULTS / SUITE), {each.digest for each in experiments}
    entries = {}
    for task, own in by_task(experiments).items():
        trials = rows[rows["digest"] == own.digest]
        if len(trials) and own.digest not in themselves:
            entries[task] = _entry(trials, own.recipe.budget)
    named = {f"{each.task}-{each.delay}": each.recipe.task for each in experiments}
    return {name: entries[task] for name, task in named.items() if task in entries}


@functools.cache
def _committed(folder: Path) -> pd.DataFrame:
    """The committed rows, which no command changes while it runs."""
    return store.read_suite(folder)


def _entry(rows: pd.DataFrame, budget: int) -> str:
    rate, median = success_rate(rows["outcome"]), median_sequences(rows)
    guesses = tables.quantity(median) if median < float("inf") else f">{tables.quantity(budget)}"
    return f"{rate.solved}/{rate.trials}\n{guesses}"
