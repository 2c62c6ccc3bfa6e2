"""A small experiment that trains in a second, for tests of the machinery around it."""

from dataclasses import replace

from benchmarks.learning.criteria import Inspection
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.learners import Adam
from models.network import Recurrent
from models.rnn import RNN
from tasks.two_sequence import TwoSequence3a

RECIPE = Recipe(
    TwoSequence3a(T=10, N=2),
    Recurrent(RNN, hidden=4),
    Adam(batch=5),
    Inspection(100, wrong_at_most=10),
    budget=400,
    inspect_every=8,
    test_size=300,
)
EXPERIMENT = Experiment("two-sequence", 10, "rnn", RECIPE, rate=0.02, trials=6)


def experiment(rate=EXPERIMENT.rate, trials=EXPERIMENT.trials, **recipe):
    """The tiny experiment with some things changed."""
    return replace(EXPERIMENT, rate=rate, trials=trials, recipe=replace(RECIPE, **recipe))
