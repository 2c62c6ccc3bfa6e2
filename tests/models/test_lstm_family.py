import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.lstm import LSTM
from models.lstm_variants import ChronoLSTM, CoupledLSTM, NoForgetLSTM
from models.minimal_lstm import MinimalLSTM
from models.peephole_lstm import CIFG, FGR, NFG, PeepholeLSTM
from models.slstm import SLSTM
from tests.models.case import N_IN, H, close, made, walk, walked, weights64
from tests.models.oracles.steps import sigmoid


def after_a_walk(cell):
    return walk(cell, jax.random.normal(jax.random.key(1), (10, N_IN)))


same = functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6)


def reordered(kernel, parts, wanted):
    """Columns of a kernel in another order; a name with "-" in front comes negated."""
    blocks = dict(zip(parts, jnp.split(kernel, len(parts), -1), strict=True))
    return jnp.concatenate([-blocks[w[1]] if w[0] == "-" else blocks[w] for w in wanted], -1)


def as_lstm(cell, parts, wanted):
    """The LSTM with the weights of another cell."""
    lstm = made(LSTM)
    for name in ("W_x", "W_h", "b"):
        getattr(lstm, name)[...] = reordered(getattr(cell, name)[...], parts, wanted)
    return lstm


def test_chrono_biases_of_input_and_forget_gate_are_opposite():
    b_i, b_f, *_ = jnp.split(made(ChronoLSTM).b[...], 4)
    np.testing.assert_array_equal(b_i, -b_f)


def test_coupled_lstm_is_an_lstm_whose_input_gate_is_the_forget_gate_turned_round():
    cell = made(CoupledLSTM)
    same(after_a_walk(cell), after_a_walk(as_lstm(cell, "fgo", ["-f", "f", "g", "o"])))


def test_peephole_lstm_starts_as_an_lstm():
    cell = made(PeepholeLSTM)
    same(after_a_walk(cell), after_a_walk(as_lstm(cell, "ifog", "ifgo")))


@pytest.mark.parametrize(
    ("cell", "other", "parts", "wanted"),
    [(NFG, NoForgetLSTM, "iog", "igo"), (CIFG, CoupledLSTM, "fog", "fgo")],
    ids=["NFG", "CIFG"],
)
def test_variants_start_as_the_cells_without_peepholes(cell, other, parts, wanted):
    cell, plain = made(cell), made(other)
    for name in ("W_x", "W_h", "b"):
        getattr(plain, name)[...] = reordered(getattr(cell, name)[...], parts, wanted)
    same(after_a_walk(cell), after_a_walk(plain))


def test_full_gate_recurrence_without_it_is_the_peephole_lstm():
    cell, plain = made(FGR), made(PeepholeLSTM)
    cell.W_g[...] *= 0
    for name in ("W_x", "W_h", "b", "p"):
        getattr(plain, name)[...] = getattr(cell, name)[...]
    same(after_a_walk(cell), after_a_walk(plain))


def test_minimal_lstm_runs_all_steps_at_once_as_one_by_one():
    cell = made(MinimalLSTM)
    xs = jax.random.normal(jax.random.key(1), (10, N_IN))
    same(cell.unrolled(xs, jnp.full(10, True)), after_a_walk(cell))
    held = cell.unrolled(xs, jnp.arange(10) < 6)
    np.testing.assert_array_equal(held[6:], jnp.broadcast_to(held[5], (4, H)))


@pytest.mark.parametrize("shut", [(-200.0, -200.0), (200.0, -200.0), (-200.0, 200.0)])
def test_minimal_lstm_divides_by_no_zero(shut):
    cell = made(MinimalLSTM)
    i, f = shut
    cell.b[: 2 * H] = jnp.repeat(jnp.array([i, f]), H)
    ys = after_a_walk(cell)
    assert np.all(np.isfinite(ys))
    share = {0: 0.5, 1: 1.0, -1: 0.0}[np.sign(i - f)]
    gates = cell.gates(jnp.zeros(H), jnp.zeros(N_IN))
    np.testing.assert_allclose(gates["i"], share, atol=1e-6)
    gradient = nnx.grad(lambda cell: jnp.sum(after_a_walk(cell)))(cell)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(gradient))


@pytest.mark.parametrize("shift", [-300.0, 300.0])
def test_slstm_depends_on_ratios_of_input_gates_only_however_large(shift):
    cell = made(SLSTM)
    expected = after_a_walk(cell)
    cell.b[:H] += shift
    np.testing.assert_allclose(after_a_walk(cell), expected, rtol=1e-3, atol=1e-4)

    def loss(b):
        graph, weights, rest = nnx.split(cell, "b", ...)
        moved = nnx.merge(graph, weights, rest)
        moved.b = nnx.Param(b)
        return jnp.sum(after_a_walk(moved))

    assert np.all(np.isfinite(jax.jit(jax.grad(loss))(cell.b[...])))


@pytest.mark.usefixtures("float64")
def test_lstm_matches_flax():
    w, xs = weights64(LSTM)
    theirs = nnx.OptimizedLSTMCell(N_IN, H, param_dtype=jnp.float64, rngs=nnx.Rngs(0))
    dense_h = {"kernel": w["W_h"], "bias": w["b"]}
    nnx.update(theirs, {"dense_i": {"kernel": w["W_x"]}, "dense_h": dense_h})
    close(walked(LSTM, w, xs), walk(theirs, xs))


@pytest.mark.usefixtures("float64")
def test_lstm_matches_the_two_bias_form_of_torch():
    w, xs = weights64(LSTM)
    W_x, W_h, b = (np.asarray(w[name]).T for name in ("W_x", "W_h", "b"))
    b_ih = np.random.default_rng(1).standard_normal(4 * H)
    b_hh = b - b_ih
    c, h = np.zeros(H), np.zeros(H)
    for x, mine in zip(np.asarray(xs), walked(LSTM, w, xs), strict=True):
        i, f, g, o = np.split((W_x @ x + b_ih) + (W_h @ h + b_hh), 4)
        c = c * sigmoid(f) + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        close(mine, h)
