import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.lstm97.lag_net import CentredLagNet97, Growth, LagNet97
from models.lstm97.net import squared_error
from tests.support.oracle97 import f, g

SYMBOLS = np.array([4, 0, 1, 2, 3, 4, 0, 0])
INPUTS = np.eye(5)[SYMBOLS]
LENGTH = 6


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield


def built(net):
    draw = np.random.default_rng(0)
    graph, state = nnx.split(nnx.eval_shape(lambda: net.build(5, 5, nnx.Rngs(0))))
    return nnx.merge(graph, jax.tree.map(lambda leaf: draw.uniform(-1, 1, leaf.shape), state))


@pytest.fixture
def network():
    return built(LagNet97())


@pytest.mark.parametrize(("net", "squash"), [(LagNet97(), f), (CentredLagNet97(), g)])
def test_outputs_are_those_of_a_loop_over_symbols(net, squash):
    network = built(net)
    hidden, direct = np.asarray(network.hidden), np.asarray(network.direct)
    s, expected = 0.0, []
    for symbol in SYMBOLS[:LENGTH]:
        s += f(hidden[symbol, 0]) * squash(hidden[symbol, 1])
        expected.append(direct[symbol] + s * np.asarray(network.kernel))
    found = network(INPUTS, LENGTH)[:LENGTH]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(network.last(INPUTS, LENGTH), expected[-1], rtol=0, atol=1e-12)


def test_without_the_cell_inputs_and_outputs_alone_are_trained(network):
    graph, params = nnx.split(network)

    def loss(params):
        net = nnx.merge(graph, params)(INPUTS, LENGTH, 0.0)
        return squared_error(net, INPUTS).sum()

    gradient = jax.grad(loss)(params)
    np.testing.assert_array_equal(network(INPUTS, LENGTH, 0.0), INPUTS @ network.direct)
    np.testing.assert_array_equal(gradient["hidden"][...], 0)
    np.testing.assert_array_equal(gradient["kernel"][...], 0)
    assert np.abs(gradient["direct"][...]).max() > 0


def grown_after(errors, rule):
    """Number of sequences after which the cell has joined, or None."""
    state = rule.init()
    for seen, error in enumerate(errors, 1):
        state = rule.observe(state, jnp.asarray(error))
        if state.grown:
            return seen
    return None


@pytest.mark.parametrize(
    ("errors", "joined"),
    [
        ([4, 4, 3, 3, 2, 2, 1, 1], None),
        ([4, 4, 3, 3, 2.9, 2.9, 1, 1], 6),
        ([4, 4, 5, 5], 4),
        ([3, 5, 4, 4], 4),
        ([1], None),
    ],
)
def test_the_cell_joins_once_a_window_brings_no_tenth_less(errors, joined):
    assert grown_after(errors, Growth(window=2, decrease=0.1)) == joined


def test_the_cell_never_leaves_again():
    rule = Growth(window=1, decrease=0.1)
    state = rule.init()
    for error in (2.0, 2.0, 0.1, 0.01):
        state = rule.observe(state, jnp.asarray(error))
    assert state.grown
