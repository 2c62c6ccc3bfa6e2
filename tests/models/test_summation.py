import functools

import jax
import numpy as np
import pytest

from models.lstm97 import summation

WAYS = {
    "as on this platform": summation.add_at,
    "one by one": summation._one_by_one,
    "scattered": summation.scatter_at,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("shape", "axes"), [((7,), 1), ((5, 3), 2), ((5, 3, 4), 2), ((6, 2), 1)])
def test_it_adds_as_numpy_does(way, shape, axes):
    """Places come up several times."""
    draw = np.random.default_rng(0)
    array = draw.integers(9, size=shape).astype(np.float32)
    places = tuple(draw.integers(n, size=40, dtype=np.int32) for n in shape[:axes])
    numbers = draw.integers(9, size=(40, *shape[axes:])).astype(np.float32)
    expected = array.copy()
    np.add.at(expected, places, numbers)
    np.testing.assert_array_equal(jax.jit(WAYS[way])(array, places, numbers), expected)


def test_it_adds_in_order():
    """Sums of floating-point numbers depend on it."""
    numbers = np.random.default_rng(0).normal(size=300).astype(np.float32)
    places = (np.zeros(300, np.int32),)
    expected = functools.reduce(np.float32.__add__, numbers, np.float32(1))
    assert jax.jit(summation.add_at)(np.ones(2, np.float32), places, numbers)[0] == expected
