"""Random guesses of all weights (not sequences) until a net has its task right.

After Schmidhuber, Hochreiter & Bengio 2001: weights uniform in [-100, 100], tried on 100 training
sequences; every column of sequences counts guesses. A task that falls to a few thousand of them is
no test of a learner. Figures of that paper stand beside ours where they are verified.
"""

from dataclasses import replace

from benchmarks.analysis.paper_rows import Compared
from benchmarks.learning.criteria import WholeSet
from benchmarks.learning.experiment import Experiment, Model, Recipe
from benchmarks.learning.learners import Guessing
from benchmarks.suites.base import PaperSuite
from models import guess_net
from models.latch_unit import LatchNet, LatchUnit, LatchUnitI
from tasks import latch, parity, tomita, two_sequence
from tasks.sequence import Task

AT_ONCE = 1024
"""Guesses that are tried side by side."""
BUDGET = 1000 * AT_ONCE
TRIALS = 40  # FIDELITY G3


def guessed(
    row: str, name: str, size: int, net: str, task: Task, model: Model, at_once: int = AT_ONCE
) -> Compared:
    """A net on a task; `size` is the length that the table shows."""
    recipe = Recipe(task, model, Guessing(), WholeSet(), BUDGET, at_once, test_size=100)
    return Compared(row, Experiment(name, size, net, recipe, 0.0, TRIALS))


LITERAL = (
    guessed("G.1", "latch-i", 500, "unit", latch.GUESSING01_I_500, LatchNet(LatchUnitI), 32),
    guessed("G.2", "latch-ii", 500, "unit", latch.GUESSING01_II_500, LatchNet(LatchUnit), 32),
    guessed("G.3", "two-sequence", 500, "a1-1", two_sequence.GUESSING01_500_1, guess_net.A1_1),
    guessed("G.4", "two-sequence", 500, "a2", two_sequence.GUESSING01_500_1, guess_net.A2),
    guessed("G.5", "parity", 500, "a1-1", parity.GUESSING01_500, guess_net.A1_1),
    guessed("G.6", "parity", 500, "a2", parity.GUESSING01_500, guess_net.A2),
    guessed(
        "G.7", "parity", 500, "a2-without-self", parity.GUESSING01_500, guess_net.A2_WITHOUT_SELF
    ),
    guessed("G.8", "parity-noisy", 500, "a1-1", parity.GUESSING01_500_NOISY, guess_net.A1_1),
    guessed("G.9", "tomita-1", 20, "a1-1", tomita.TOMITA82_1, guess_net.A1_1),
    guessed("G.10", "tomita-1", 20, "a2", tomita.TOMITA82_1, guess_net.A2),
    guessed("G.11", "tomita-2", 20, "a1-3", tomita.TOMITA82_2, guess_net.A1_3),
    guessed("G.12", "tomita-2", 20, "a2", tomita.TOMITA82_2, guess_net.A2),
    guessed("G.13", "tomita-4", 20, "a1-2", tomita.TOMITA82_4, guess_net.A1_2),
    guessed("G.14", "tomita-4", 20, "a2", tomita.TOMITA82_4, guess_net.A2),
)
"""Experiments beside the rows that they reproduce."""


def quiet(row: str, task: Task, variant: str = "quiet") -> Compared:
    """A row with less noise in its task."""
    (literal,) = (each.experiment for each in LITERAL if each.row == row)
    recipe = replace(literal.recipe, task=task)
    return Compared(row, replace(literal, task=f"{literal.task}-{variant}", recipe=recipe), variant)


# FIDELITY G6
QUIET = (
    quiet("G.1", latch.GUESSING01_I_500_QUIET),
    quiet("G.2", latch.GUESSING01_II_500_QUIET),
    quiet("G.3", two_sequence.GUESSING01_500_1_QUIET),
    quiet("G.4", two_sequence.GUESSING01_500_1_QUIET),
    quiet("G.3", two_sequence.GUESSING01_500_3_QUIET, "quiet-three"),
    quiet("G.4", two_sequence.GUESSING01_500_3_QUIET, "quiet-three"),
)
"""The rows with Gaussian noise, with less of it, and with three elements that carry the class."""

COMPARED = (*LITERAL, *QUIET)

SUITE = PaperSuite(
    "guessing", __doc__, tuple(each.experiment for each in COMPARED), compared=COMPARED
)
