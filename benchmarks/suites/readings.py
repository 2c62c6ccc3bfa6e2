"""Which reading agrees with the most rows of the paper? A factorial study.

Readings are the same for all rows. Six choices that the paper leaves open, or that might have been
made otherwise than it says, each at two levels, in 16 of the 64 combinations: a fractional
factorial of resolution IV, whose first reading is the literal one. Cheap rows of the paper's
tables, ten trials each. Hypotheses, and the rule by which the best are chosen, stand in
docs/FIDELITY.md; they were written before any was run.
"""

import itertools
from collections.abc import Iterable
from dataclasses import replace

from benchmarks.analysis.paper_rows import Compared
from benchmarks.learning.experiment import Model, Recipe
from benchmarks.learning.learners import (
    Learner,
    LinearOutput,
    Online,
    PlainDelta,
    Stepwise,
    StepwisePlainDelta,
)
from benchmarks.suites import paper
from benchmarks.suites.base import ReadingsSuite
from models.lstm97.lag_net import LagNet97
from models.lstm97.net import HalfReset97, Net97
from tasks.adding import Adding
from tasks.multiplication import Multiplication
from tasks.two_sequence import TwoSequence3a

TRIALS = 10
ROWS = (
    *("1.5", "1.6", "1.7", "1.8", "1.9", "2.8", "2.9", "3.1", "3.2"),
    *("4.1", "4.2", "5.1", "5.2", "6.1", "6.2", "7.1", "8.1", "9.1"),
)
"""Those whose literal trials take at most ten seconds of a core, delays of 100 steps at most."""

CHOICES = ("plain", "half", "steps", "full", "small", "linear")
"""The level of each choice that is not the literal one: the error of an output without its slope;
activations of 1/2 at the start of a sequence; weights that change after every step; the full
gradient; initial weights of a tenth; linear outputs."""

REAL_TARGETS = (Adding, Multiplication, TwoSequence3a)  # 3b and 3c are subclasses of the last


def readings() -> list[tuple[str, ...]]:
    """The 16 combinations, each with what it does not read literally.

    Four choices are free; of the two others, which are not literal follows by parity, so that no
    effect of one choice is mixed up with that of another or of two (Box & Hunter 1961).
    """
    found = []
    for a, b, c, d in itertools.product((False, True), repeat=4):
        levels = a, b, c, d, a ^ b ^ c, b ^ c ^ d
        found.append(tuple(name for name, level in zip(CHOICES, levels, strict=True) if level))
    return found


def read(recipe: Recipe, reading: tuple[str, ...]) -> tuple[Recipe, tuple[str, ...]]:
    """A recipe as a reading has it, and which of its choices make a difference there."""
    every_step, model = recipe.task.every_step, recipe.model
    possible = {
        "plain": not ("linear" in reading and isinstance(recipe.task, REAL_TARGETS)),
        "half": isinstance(model, Net97),
        "steps": every_step,
        "full": isinstance(model, Net97),  # in 2a and 2b nothing recurs but a sum
        "small": True,
        "linear": isinstance(recipe.task, REAL_TARGETS),
    }
    chosen = tuple(name for name in reading if possible[name])
    return replace(recipe, model=_net(model, chosen), learner=_learner(recipe, chosen)), chosen


def _net(model: Model, chosen: tuple[str, ...]) -> Model:
    assert isinstance(model, Net97 | LagNet97)  # the nets of `paper`
    if isinstance(model, Net97):
        if "half" in chosen:
            model = paper.of_kind(HalfReset97, model)
        model = replace(model, truncate="full" not in chosen)
    return replace(model, init_range=model.init_range / 10) if "small" in chosen else model


def _learner(recipe: Recipe, chosen: tuple[str, ...]) -> Learner:
    kinds = {
        (): Online,
        ("plain",): PlainDelta,
        ("steps",): Stepwise,
        ("linear",): LinearOutput,
        ("plain", "steps"): StepwisePlainDelta,
    }
    kind = kinds[tuple(name for name in chosen if name in ("plain", "steps", "linear"))]
    assert isinstance(recipe.learner, Online)
    forward = recipe.learner.forward or "steps" in chosen
    return kind(forward=forward and "full" not in chosen)


def compared(chosen: Iterable[tuple[str, ...]], rows: Iterable[str]) -> list[Compared]:
    """Rows of the paper under readings; what makes no difference to a row is not in its name.

    Left out: the full gradient of a net of blocks whose weights change at every step, for which
    the paper's time had no procedure but RTRL's approximation.

    Args:
        chosen: readings, each by what it does not read literally.
        rows: numbers of rows.
    """
    literal = {each.row: each.experiment for each in paper.COMPARED}
    lines = []
    for reading, row in itertools.product(chosen, rows):
        recipe, differs = read(literal[row].recipe, reading)
        if "steps" in differs and "full" in differs:
            continue
        task = "-".join([literal[row].task, *differs])
        experiment = replace(literal[row], task=task, recipe=recipe)
        lines.append(Compared(row, experiment, "-".join(reading) or "literal"))
    return lines


COMPARED = tuple(
    each._replace(experiment=replace(each.experiment, trials=TRIALS))
    for each in compared(readings(), ROWS)
)
EXPERIMENTS = tuple(dict.fromkeys(each.experiment for each in COMPARED))
SUITE = ReadingsSuite("readings", __doc__, EXPERIMENTS, compared=COMPARED)
