"""Remedies for vanishing and exploding gradients: the vanilla RNN with each, beside LSTM and GRU.

Every line has about as many weights as an LSTM with 16 units and, on every task and at every delay,
its own best of 12 configurations; half of them are the best of the delay before. A delay of 500 is
run where the chosen configuration has solved a trial of the search at 200.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from benchmarks.analysis.remedies import Remedy
from benchmarks.learning.descents import ElementClip, NormClip, Plain, ScheduledNesterov, SkipLarge
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.learners import Adam, Learner
from benchmarks.learning.penalties import NormStabiliser, Omega
from benchmarks.learning.remedies import Remedied
from benchmarks.running import search
from benchmarks.suites import anchors, sizes
from benchmarks.suites.base import RemediesSuite
from benchmarks.suites.cells import EVERY
from benchmarks.suites.common import DEFAULT_RATE, RESULTS, Point, recipe
from models.network import Recurrent
from tasks.adding import Adding
from tasks.latch import LatchII
from tasks.sequence import Task
from tasks.temporal_order import TemporalOrder6a

DELAYS = (10, 20, 50, 100, 200)
LONGEST, BEFORE = 500, DELAYS[-1]
TRIALS = 20
CONFIGURATIONS = 12
BUDGET = 200_000


class Line(NamedTuple):
    """A line of the table: a net and how it learns.

    Attributes:
        cell: name of the cell in `suites.cells.EVERY`.
        learner: delay -> its learner.
        source: who proposed the remedy, or this combination.
        without: the line that is the same without the remedy.
    """

    cell: str
    learner: Callable[[int], Learner]
    source: str
    without: str | None = "rnn"


def _always(learner: Learner) -> Callable[[int], Learner]:
    return lambda delay: learner


ADAM = Remedied()
DESCENT = Remedied(descent=Plain())

# FIDELITY S13
LINES: dict[str, Line] = {
    "rnn": Line("gaussian-rnn", _always(ADAM), "no remedy: Elman 1990, with Adam", None),
    "rnn-norm-clip": Line(
        "gaussian-rnn", _always(replace(ADAM, guard=NormClip())), "Pascanu et al. 2013"
    ),
    "rnn-element-clip": Line(
        "gaussian-rnn", _always(replace(ADAM, guard=ElementClip())), "Mikolov 2012"
    ),
    "rnn-skip": Line(
        "gaussian-rnn",
        _always(replace(ADAM, guard=SkipLarge())),
        "practice; Pascanu et al. 2013 rescale instead",
    ),
    "rnn-omega": Line(
        "gaussian-rnn", _always(replace(ADAM, penalty=Omega())), "Pascanu et al. 2013"
    ),
    "rnn-stabiliser": Line(
        "gaussian-rnn",
        _always(replace(ADAM, penalty=NormStabiliser())),
        "Krueger & Memisevic 2016",
    ),
    "rnn-window": Line(
        "gaussian-rnn",
        lambda delay: replace(ADAM, window=delay // 2),
        "Williams & Peng 1990, a window of half the delay",
    ),
    "rnn-orthogonal": Line("rnn", _always(ADAM), "Saxe et al. 2014"),
    "rnn-sparse": Line("sparse-rnn", _always(ADAM), "Martens & Sutskever 2011"),
    "rnn-identity": Line("irnn", _always(ADAM), "Le et al. 2015"),
    "rnn-layer-norm": Line("layer-norm-rnn", _always(ADAM), "Ba et al. 2016"),
    "rnn-leaky": Line("leaky-rnn", _always(ADAM), "Bengio et al. 2013", "rnn-orthogonal"),
    "rnn-highway": Line("rhn", _always(ADAM), "Zilly et al. 2017, depth 3", "rnn-orthogonal"),
    "rnn-descent": Line(
        "gaussian-rnn", _always(DESCENT), "no remedy: Elman 1990, with gradient descent", None
    ),
    "rnn-nesterov": Line(
        "gaussian-rnn",
        _always(replace(DESCENT, descent=ScheduledNesterov())),
        "Sutskever et al. 2013",
        "rnn-descent",
    ),
    "rnn-sparse-nesterov": Line(
        "sparse-rnn",
        _always(replace(DESCENT, descent=ScheduledNesterov())),
        "Sutskever et al. 2013, with the sparse start of Martens & Sutskever 2011",
        "rnn-nesterov",
    ),
    "rnn-omega-clip": Line(
        "gaussian-rnn",
        _always(replace(DESCENT, guard=NormClip(), penalty=Omega())),
        "Pascanu et al. 2013, both with gradient descent",
        "rnn-descent",
    ),
    "rnn-identity-clip": Line(
        "irnn",
        _always(replace(DESCENT, guard=NormClip())),
        "Le et al. 2015, with gradient descent",
        "rnn-descent",
    ),
    "rnn-identity-stabiliser": Line(
        "irnn",
        _always(replace(ADAM, penalty=NormStabiliser())),
        "Krueger & Memisevic 2016",
        "rnn-identity",
    ),
    "lstm": Line("lstm", _always(Adam()), "Gers et al. 2000"),
    "gru": Line("gru", _always(Adam()), "Cho et al. 2014"),
}
"""The net without a remedy, then with each alone, combinations of their authors, and gates."""

FAMILIES: dict[str, tuple[Callable[[int], Task], int]] = {
    "adding": (Adding, 20),
    "order-6a": (TemporalOrder6a, 20),
    "latch-ii": (LatchII, 10),
}
"""Tasks by name, and the shortest delay that each can have of those here."""


def points(delay: int) -> list[Point]:
    """The tasks that there are at a delay."""
    return [
        Point(name, delay, make(delay), BUDGET, TRIALS)
        for name, (make, shortest) in FAMILIES.items()
        if delay >= shortest
    ]


def experiment(point: Point, name: str) -> Experiment:
    """A line of the table on a task, before any search."""
    line = LINES[name]
    units = sizes.hidden(line.cell, point.task.n_in, point.task.n_out)
    usual = recipe(point, Recurrent(EVERY[line.cell], units))
    learnt = replace(usual, learner=line.learner(point.delay))
    return Experiment(point.name, point.delay, name, learnt, DEFAULT_RATE, point.trials)


def _searched() -> tuple[Experiment, ...]:
    """All of the table, as the search has chosen; the longest delay where `solved` says."""
    there = search.solved(RESULTS / "remedies")
    longest = [(point, line) for point in points(LONGEST) for line in LINES]
    all_of_them = [(point, line) for T in DELAYS for point in points(T) for line in LINES]
    all_of_them += [(p, line) for p, line in longest if (p.name, BEFORE, line) in there]
    experiments = [search.at(experiment(*each), search.UNKNOWN) for each in all_of_them]
    return tuple(search.settled(experiments, RESULTS / "remedies"))


EXPERIMENTS = _searched()
SUITE = RemediesSuite(
    "remedies",
    __doc__,
    EXPERIMENTS,
    searched=True,
    matched=True,
    staged=True,
    configurations=CONFIGURATIONS,
    remedies=tuple(Remedy(name, line.source, line.without) for name, line in LINES.items()),
    anchors=anchors.EXPERIMENTS,
)
