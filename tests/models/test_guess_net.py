import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.guess_net import A1_1, A1_2, A1_3, A2, A2_WITHOUT_SELF
from tests.support.guess_net import oracle

NETS = {"A1(1)": A1_1, "A1(2)": A1_2, "A1(3)": A1_3, "A2": A2, "A2-": A2_WITHOUT_SELF}
EACH = pytest.mark.parametrize("name", NETS)
X = np.random.default_rng(1).choice([-1.0, 1.0], 9)


@EACH
def test_outputs_are_those_of_the_equations(name):
    net = NETS[name].build(1, 1, nnx.Rngs(0))
    weights = np.random.default_rng(0).normal(size=len(net.weights))
    net.weights[...] = jnp.asarray(weights, jnp.float32)
    expected = oracle(name, weights, X)
    inputs = jnp.asarray(X, jnp.float32)[:, None]
    found = jax.nn.sigmoid(net(inputs, len(X)))[:, 0]
    np.testing.assert_allclose(found, expected, atol=2e-6)
    for length in (1, 4, len(X)):
        last = jax.nn.sigmoid(net.last(inputs, length))
        np.testing.assert_allclose(last, expected[length - 1 : length], atol=2e-6)


def test_numbers_of_weights():
    assert {name: net.weights for name, net in NETS.items()} == {
        "A1(1)": 7,
        "A1(2)": 14,
        "A1(3)": 23,
        "A2": 52,
        "A2-": 42,
    }


def test_a_net_of_two_units_counts_parity():
    """h = x and o, output = x + o - 2 h: the exclusive or; and a case for G2."""
    net = A1_1.build(1, 1, nnx.Rngs(0))
    for line in np.random.default_rng(2).choice([-1.0, 1.0], (3, 50)):
        # Of the hidden unit (x, itself, o, b), then of the output (x, h, o); o is 0 or 1.
        net.weights[...] = jnp.asarray([50, 0, 100, -100, 40, -160, 80.0], jnp.float32)
        answers = jax.nn.sigmoid(net(jnp.asarray(line, jnp.float32)[:, None], 50))[:, 0]
        odd = np.cumsum(line > 0) % 2
        np.testing.assert_allclose(answers, odd, atol=1e-4)


def test_other_widths_are_refused_in_one_line():
    with pytest.raises(ValueError, match="1 input and 1 output, not 2 and 1"):
        A2.build(2, 1, nnx.Rngs(0))
