"""The rule that symbol tasks share, against plain Python."""

import math
from itertools import product

import jax
import jax.numpy as jnp
import pytest

from tasks.sequence import most_active

VALUES = (-1.0, 0.5, 0.5 + 1e-7, math.inf, -math.inf, math.nan)


def plain(outputs, wanted):
    """By every pair of a wanted output and another."""
    both = list(zip(outputs, wanted, strict=True))
    pairs = [(a, b) for a, w in both for b, v in both if w and not v]
    return any(wanted) and all(map(math.isfinite, outputs)) and all(a > b for a, b in pairs)


@pytest.mark.parametrize("wanted", list(product((False, True), repeat=3)))
def test_wanted_outputs_are_all_above_the_others(wanted):
    outputs = list(product(VALUES, repeat=3))
    found = jax.jit(most_active)(jnp.array(outputs), jnp.array(wanted))
    single = jnp.array(outputs).tolist()  # as float32 has them
    assert found.tolist() == [plain(each, wanted) for each in single]
