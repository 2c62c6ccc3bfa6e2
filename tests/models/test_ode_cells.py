import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.ode_cells import LEM, AntisymmetricRNN, CoRNN
from tests.models.case import N_IN, H, made, pure


def quiet(cell, **settings):
    """A cell with all weights at zero but its step sizes."""
    module = made(cell, **settings)
    sizes = {"epsilon", "dt"}
    weights = pure(nnx.state(module))
    nnx.update(module, {k: a if k in sizes else 0 * a for k, a in weights.items()})
    return module


def run(module, carry, steps):
    for _ in range(steps):
        carry, y = module(carry, jnp.zeros(N_IN))
    return carry, y


def test_the_antisymmetric_matrix_is_one_and_has_every_entry_once():
    module = made(AntisymmetricRNN)
    module.W[...] = jnp.arange(1.0, H * (H - 1) // 2 + 1)
    A = np.asarray(module._antisymmetric())
    np.testing.assert_array_equal(A, -A.T)
    assert sorted(A[A > 0]) == list(range(1, H * (H - 1) // 2 + 1))
    assert np.all(A[np.triu_indices(H, 1)] > 0)


def test_antisymmetric_units_turn_without_growing_much_or_fading_away():
    module = made(AntisymmetricRNN, memory=100.0)
    start = 0.1 * jax.random.normal(jax.random.key(1), (H,))
    end, _ = run(module, start, 200)
    assert 0.8 < jnp.linalg.norm(end) / jnp.linalg.norm(start) < 1.25
    assert jnp.linalg.norm(end - start) > 0.5 * jnp.linalg.norm(start)


@pytest.mark.parametrize("memory", [1.5, 10.0, 100.0])
def test_an_oscillator_that_is_left_alone_shrinks_by_e_in_its_memory(memory):
    module, steps = quiet(CoRNN, memory=memory), int(6 * memory)
    (y, z), _ = run(module, (jnp.ones(H), jnp.zeros(H)), steps)
    (v, u), _ = run(module, (jnp.zeros(H), jnp.ones(H)), steps)
    area = np.abs(y * u - v * z)  # what the map of (y, z) makes of the unit square
    np.testing.assert_allclose(area, np.exp(-2 * steps / memory), rtol=1e-3)


def test_lem_keeps_its_two_states_for_its_memory():
    start = jnp.ones(H), jnp.full(H, 2.0)
    (y, z), _ = run(quiet(LEM, memory=20.0), start, 30)
    np.testing.assert_allclose(y, (1 - 1 / 20) ** 30, rtol=1e-5)
    np.testing.assert_allclose(z, 2 * (1 - 1 / 20) ** 30, rtol=1e-5)
