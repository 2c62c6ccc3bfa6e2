"""Trials trained to their end in the test's own process."""

from benchmarks.learning.lanes import Lanes
from benchmarks.learning.states import NONE


def train(seed, runs, state=NONE):
    """Results of each block of training, as a worker has them."""
    lanes = Lanes(seed, runs, state)
    while lanes.busy:
        yield lanes.block()
