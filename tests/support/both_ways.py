"""Programs with a gradient of their own beside the same learner by automatic differentiation."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.learning.criteria import Inspection
from benchmarks.learning.experiment import Recipe
from benchmarks.learning.program import setups
from benchmarks.learning.select import program

TRIALS = 16


def trained_both_ways(task, net, learner, rate):
    """Trains a block with both, and sees to it that the weights agree up to rounding.

    Returns:
        Both programs, the trials after it, and the sequences of the block.
    """
    recipe = Recipe(task, net, learner, Inspection(32, 0), 40, 40, test_size=32)
    plain = replace(recipe, learner=replace(learner, forward=False))
    fast, slow = program(recipe), program(plain)
    setup = setups(0, range(TRIALS), [rate] * TRIALS)
    start = fast.start(setup)
    sets = fast.source.sets(setup.sets_key) if fast.source.finite else None
    sequences = fast.source.training(setup.key, start.seen, 40, sets)
    mine, theirs = (
        each.train(setup, jax.tree.map(jnp.copy, start), sequences) for each in (fast, slow)
    )
    assert mine.seen.tolist() == theirs.seen.tolist() == [40] * TRIALS
    moved = 0.0
    for a, b, before in zip(*map(jax.tree.leaves, (mine, theirs, start)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-5)
        if a.ndim > 1:
            moved = max(moved, np.abs(a - before).max())
    assert moved > 100 * 2e-5
    return (fast, slow), mine, sequences
