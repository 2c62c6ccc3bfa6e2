"""The network around a cell, ours or one of flax."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.gru import GRU
from models.lstm import LSTM
from models.network import Network, Recurrent
from models.rnn import RNN
from tests.models.case import N_IN, N_OUT, H, T, build, close, made, network64

FLAX_CELLS = [nnx.SimpleCell, nnx.LSTMCell, nnx.OptimizedLSTMCell, nnx.GRUCell]

stored = pytest.mark.parametrize("stored", [True, False], ids=["stored", "nothing stored"])
flax_cells = pytest.mark.parametrize("cell", FLAX_CELLS, ids=lambda cell: cell.__name__)
LENGTHS = np.array([[T, 7, 1], [3, T, 5]])


@flax_cells
def test_scan_equals_the_loop_written_out(cell):
    network = nnx.merge(*build(Recurrent(cell, H)))
    xs = jax.random.normal(jax.random.key(2), (T, N_IN))
    carry, expected = network.cell.initialize_carry((N_IN,), nnx.Rngs(0)), []
    for x in xs:
        carry, y = network.cell(carry, x)
        expected.append(network.readout(y))
    np.testing.assert_allclose(network(xs, T), jnp.stack(expected), rtol=1e-5, atol=1e-6)


@flax_cells
def test_cells_of_flax_train_unchanged(cell):
    graph, weights = build(Recurrent(cell, H))
    xs = jax.random.normal(jax.random.key(2), (T, N_IN))
    gradient = jax.jit(jax.grad(lambda w: jnp.sum(nnx.merge(graph, w)(xs, T) ** 2)))(weights)
    leaves = jax.tree.leaves(gradient)
    assert leaves
    assert all(np.all(np.isfinite(g)) and np.any(g != 0) for g in leaves)


@pytest.mark.usefixtures("float64")
@stored
@pytest.mark.parametrize("cell", [RNN, LSTM, GRU])
def test_a_batch_in_one_call_is_its_sequences_one_by_one(cell, stored, monkeypatch):
    monkeypatch.setattr("models.network.LONG", T if stored else 0)
    graph, weights, rng = network64(cell)
    xs, errors = (rng.standard_normal((2, 3, T, n)) for n in (N_IN, N_OUT))

    def loss(weights, xs, length, errors):
        outputs = nnx.merge(graph, weights)(xs, length)
        return jnp.sum(outputs * errors), outputs

    gradient = jax.grad(loss, has_aux=True)
    one_by_one = jax.vmap(jax.vmap(gradient, (None, 0, 0, 0)), (None, 0, 0, 0))
    together, outputs = jax.jit(gradient)(weights, xs, LENGTHS, errors)
    apart, expected = jax.jit(one_by_one)(weights, xs, LENGTHS, errors)
    close(outputs, expected)
    jax.tree.map(lambda mine, theirs: close(mine, theirs.sum((0, 1))), together, apart)


class Doubled(RNN):
    """A cell whose output is not what it carries on."""

    def __call__(self, carry, x):
        new, _ = super().__call__(carry, x)
        return new, jnp.concatenate([new, x], -1)


@stored
@pytest.mark.parametrize("cell", [RNN, LSTM, GRU, Doubled], ids=lambda cell: cell.__name__)
def test_the_last_answer_is_that_of_the_last_step(cell, stored, monkeypatch):
    monkeypatch.setattr("models.network.LONG", T if stored else 0)
    network = Network(made(cell), lambda y: y @ jnp.ones((y.shape[-1], 2)))
    graph, weights = nnx.split(network)
    xs, lengths = jax.random.normal(jax.random.key(2), (3, T, N_IN)), np.array([T, 7, 1])

    def last(weights):
        return nnx.merge(graph, weights).last(xs, lengths)

    def expected(weights):
        return nnx.merge(graph, weights)(xs, lengths)[np.arange(3), lengths - 1]

    def loss(answers):
        return lambda weights: jnp.sum(answers(weights) ** 2)

    assert last(weights).shape == (3, 2)
    np.testing.assert_allclose(last(weights), expected(weights), atol=1e-6)
    jax.tree.map(
        functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5),
        *(jax.grad(loss(answers))(weights) for answers in (last, expected)),
    )
