import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.layer_norm_rnn import LayerNormRNN
from models.leaky_rnn import LeakyRNN
from models.recurrent_highway import RecurrentHighway
from models.relu_rnn import IRNN
from models.rnn import RNN, GaussianRNN, SparseRNN
from tests.models.case import N_IN, H, made


@pytest.mark.parametrize(("cell", "usual"), [(GaussianRNN, 1.0), (SparseRNN, 1.1)])
def test_the_scale_of_a_random_start(cell, usual):
    plain, scaled = made(cell), made(cell, scale=0.7)
    np.testing.assert_allclose(scaled.W_hh[...], 0.7 / usual * plain.W_hh[...], rtol=1e-6)
    np.testing.assert_array_equal(scaled.W_xh[...], plain.W_xh[...])


@pytest.mark.parametrize("cell", [RNN, GaussianRNN, SparseRNN, IRNN])
def test_an_error_goes_back_as_the_cell_says(cell):
    module = made(cell)
    x, h = jax.random.normal(jax.random.key(0), (2, 3, H))[:, :, :N_IN], jnp.ones((3, H)) * 0.3
    error = jax.random.normal(jax.random.key(1), (3, H))
    (new, _), pull = jax.vjp(lambda h: module(h, x[0]), h)
    np.testing.assert_allclose(
        module.back(new, error), pull((error, jnp.zeros_like(error)))[0], rtol=1e-5, atol=1e-6
    )


def test_a_leak_alone_keeps_its_share():
    cell = made(LeakyRNN, memory=4.0)
    cell.W_hh[...] *= 0
    h, _ = cell(jnp.ones(H), jnp.zeros(N_IN))
    np.testing.assert_allclose(h, 0.75, rtol=1e-6)


def test_layer_norm_does_not_feel_the_scale_of_its_weights():
    cell = made(LayerNormRNN)
    x, h = jax.random.normal(jax.random.key(0), (N_IN,)), jnp.linspace(-1, 1, H)
    before = cell(h, x)[1]
    cell.W_xh[...] *= 50
    cell.W_hh[...] *= 50
    np.testing.assert_allclose(cell(h, x)[1], before, atol=1e-4)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_a_highway_of_any_depth(depth):
    cell = RecurrentHighway(N_IN, H, depth=depth, memory=8.0, rngs=nnx.Rngs(0))
    size = sum(leaf.size for leaf in jax.tree.leaves(nnx.state(cell, nnx.Param)))
    assert size == 2 * H * (N_IN + depth * (H + 1))
    cell.W_s[...] *= 0
    h, _ = cell(jnp.ones(H), jnp.zeros(N_IN))
    np.testing.assert_allclose(h, 1 - 1 / 8, rtol=1e-5)
