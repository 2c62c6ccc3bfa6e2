"""What is left of an error that flows back: initial networks, 10 to 1000 steps.

`run` does not train these experiments but measures their networks before any training; any of them
can be trained with `inspect`. `lstm97-full` is the network of 1997 with its full gradient.
"""

from dataclasses import replace

from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.learners import Online
from benchmarks.suites import paper
from benchmarks.suites.base import FlowSuite
from benchmarks.suites.common import Point, experiments
from tasks.two_sequence import TwoSequence3a

POINTS = tuple(
    Point("two-sequence", T, TwoSequence3a(T=T, N=1), budget=40_000)
    for T in (10, 30, 100, 300, 1000)
)

NETWORKS = 100


def lstm97(point: Point, cell: str, truncate: bool) -> Experiment:
    """The paper's own network of the task."""
    net = replace(paper.TWO_SEQUENCE_NET, truncate=truncate)
    learner = Online(forward=truncate)
    recipe = Recipe(point.task, net, learner, paper.ST1_3A, point.budget, inspect_every=1000)
    return Experiment(point.name, point.delay, cell, recipe, 1.0, NETWORKS)


EXPERIMENTS = (
    *experiments(POINTS, NETWORKS),
    *(lstm97(point, "lstm97", truncate=True) for point in POINTS),
    *(lstm97(point, "lstm97-full", truncate=False) for point in POINTS),
)
SUITE = FlowSuite("gradient-flow", __doc__, EXPERIMENTS)
