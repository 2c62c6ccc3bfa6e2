"""The planted faults are the faults that they say they are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from benchmarks.check.studies import planted
from models.gru import GRU
from models.lstm import LSTM
from models.network import Recurrent
from tasks.adding import Adding

X = jax.random.normal(jax.random.key(1), (6, 3))


def outputs(cell, inputs=X):
    """All outputs of a network around a cell class, with the same weights for each class."""
    network = Recurrent(cell, 4).build(3, 2, nnx.Rngs(0))
    return network(inputs, jnp.asarray(len(inputs)))


def slopes(cell):
    """Size of the derivative of the last output by each input."""
    return jnp.abs(jax.grad(lambda x: outputs(cell, x)[-1].sum())(X)).sum(1)


def test_forget_bias():
    assert not planted.NoForgetBias(3, 4, rngs=nnx.Rngs(0)).b.any()
    assert LSTM(3, 4, rngs=nnx.Rngs(0)).b.any()


def test_the_wrong_forget_gate_is_the_right_one_with_the_weights_of_the_other_sign():
    wrong, right = (cell(3, 4, rngs=nnx.Rngs(0)) for cell in (planted.ForgetGateSign, LSTM))
    forget = slice(4, 8)
    for name in ("W_x", "W_h", "b"):
        weights = getattr(wrong, name)
        weights[...] = weights[...].at[..., forget].multiply(-1)
    carry = (jnp.ones(4), jnp.ones(4))
    assert jnp.allclose(wrong(carry, X[0])[1], right(carry, X[0])[1])
    assert not jnp.allclose(outputs(planted.ForgetGateSign), outputs(LSTM))


def test_the_wrong_update_gate_is_the_right_one_with_the_weights_of_the_other_sign():
    wrong, right = (cell(3, 4, rngs=nnx.Rngs(0)) for cell in (planted.UpdateGateSign, GRU))
    update = slice(4, 8)
    for name in ("W_x", "W_h", "b"):
        weights = getattr(wrong, name)
        weights[...] = weights[...].at[..., update].multiply(-1)
    assert jnp.allclose(wrong(jnp.ones(4), X[0])[1], right(jnp.ones(4), X[0])[1])
    assert not jnp.allclose(outputs(planted.UpdateGateSign), outputs(GRU))


@pytest.mark.parametrize(("cell", "right"), [(planted.StateCut, GRU), (planted.HiddenCut, LSTM)])
def test_a_cut_changes_gradients_only(cell, right):
    assert jnp.array_equal(outputs(cell), outputs(right))
    assert (slopes(right) > 0).all()
    assert not jnp.allclose(slopes(cell), slopes(right))


def test_what_is_cut():
    assert (slopes(planted.StateCut)[:-1] == 0).all()
    assert (slopes(planted.HiddenCut) > 0).all()  # through c


def test_off_by_one():
    keys = jax.random.split(jax.random.key(0), 50)
    right = jax.device_get(jax.vmap(Adding(20).sample)(keys))
    wrong = jax.device_get(jax.vmap(planted.AddingOffByOne(20).sample)(keys))
    assert np.array_equal(wrong.inputs, right.inputs)
    for inputs, targets, length in zip(wrong.inputs, wrong.targets, wrong.length, strict=True):
        values = inputs[1:, 0][inputs[:-1, 1] == 1]  # one step after a mark
        assert targets[length - 1, 0] == pytest.approx(0.5 + values.sum() / 4, abs=1e-6)
