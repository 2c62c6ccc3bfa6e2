import functools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.lstm97 import forward, full, online
from models.lstm97.forward import CHUNK, Reading, from_params, to_params
from models.lstm97.net import HalfReset97, IdentityH97, Net97, Shortcuts97, squared_error

gradient, outputs, full_gradient = (
    jax.jit(each, static_argnames="reading")
    for each in (online.gradient, forward.outputs, full.gradient)
)

LENGTHS = np.array([1, 2, 7, 11, 12])
TRIALS, T = len(LENGTHS), 12
CASES = {
    "two-sequence": (Net97(3, 1, "hidden", (-1.0, -3.0, -5.0)), 1, 1, False),
    "adding": (Net97(2, 2, "all", (-3.0, -6.0)), 2, 1, False),
    "gates": (Net97(2, 3, "gates"), 4, 3, False),
    "half reset": (HalfReset97(2, 2, "all"), 2, 1, False),
    "half reset, symbols": (HalfReset97(2, 1), 9, 2, True),
    "identity h": (IdentityH97(2, 2, "all"), 2, 1, False),
    "identity h, symbols": (IdentityH97(2, 1), 9, 2, True),
    "2c": (Net97(2, 1), 9, 2, True),
    "2c, many symbols": (Net97(2, 1), online.MANY_SYMBOLS + 1, 2, True),
    "temporal order": (Net97(3, 2, "all", (-2.0, -4.0, -6.0)), 8, 8, True),
}


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield


def built(net, n_in, n_out):
    """Graph, and random parameters with a leading trial axis."""
    draw = np.random.default_rng(0)
    graph, state = nnx.split(nnx.eval_shape(lambda: net.build(n_in, n_out, nnx.Rngs(0))))
    return graph, jax.tree.map(lambda leaf: draw.uniform(-1, 1, (TRIALS, *leaf.shape)), state)


def example(n_in, n_out, symbols, steps=T):
    """Inputs as the fast path takes them, the same as the plain one does, and targets."""
    draw = np.random.default_rng(1)
    targets = draw.uniform(size=(n_out, TRIALS))
    if symbols:
        inputs = draw.integers(n_in, size=(steps, TRIALS), dtype=np.int32)
        return inputs, np.eye(n_in)[inputs.T], targets
    inputs = draw.normal(size=(steps, n_in, TRIALS))
    return inputs, np.moveaxis(inputs, -1, 0), targets


@functools.partial(jax.jit, static_argnums=0)
def plain(graph, params, inputs, lengths, targets):
    """Outputs `[trials, n_out]` and gradients by automatic differentiation."""

    def loss(params, inputs, length, target):
        net = nnx.merge(graph, params)(inputs, length)[length - 1]
        return squared_error(net, target), jax.nn.sigmoid(net)

    found, y = jax.vmap(jax.grad(loss, has_aux=True))(params, inputs, lengths, targets.T)
    return y, found


def reading_of(net):
    return Reading(reset=net.reset, h=net.h)


def assert_same(found, expected, tolerance=1e-9):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


@pytest.mark.parametrize("gradient", [gradient, full_gradient], ids=["truncated", "full"])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_plain_path(case, gradient):
    net, n_in, n_out, symbols = CASES[case]
    net = replace(net, truncate=gradient is not full_gradient)
    graph, params = built(net, n_in, n_out)
    inputs, dense, targets = example(n_in, n_out, symbols)
    y, expected = plain(graph, params, dense, LENGTHS, targets)
    found_y, found = gradient(
        from_params(params), inputs, LENGTHS, targets, reading=reading_of(net)
    )
    np.testing.assert_allclose(found_y.T, y, rtol=0, atol=1e-12)
    assert_same(to_params(found, params), expected)


@pytest.mark.parametrize("symbols", [False, True])
def test_shortcuts_equal_the_plain_path(symbols):
    net, n_in, n_out = Shortcuts97(2, 2, "all"), 5, 3
    graph, params = built(net, n_in, n_out)
    inputs, dense, targets = example(n_in, n_out, symbols)
    y, expected = plain(graph, params, dense, LENGTHS, targets)
    found_y, found = gradient(from_params(params), inputs, LENGTHS, targets)
    np.testing.assert_allclose(found_y.T, y, rtol=0, atol=1e-12)
    assert_same(to_params(found, params), expected)


@pytest.mark.parametrize(("case", "steps"), [("adding", CHUNK + 1), ("2c", 2 * CHUNK + 7)])
def test_equals_the_plain_path_over_several_chunks(case, steps):
    net, n_in, n_out, symbols = CASES[case]
    lengths = np.array([1, CHUNK, CHUNK + 1, steps - 1, steps])
    graph, params = built(net, n_in, n_out)
    inputs, dense, targets = example(n_in, n_out, symbols, steps)
    y, expected = plain(graph, params, dense, lengths, targets)
    found_y, found = gradient(from_params(params), inputs, lengths, targets)
    np.testing.assert_allclose(found_y.T, y, rtol=0, atol=1e-12)
    assert_same(to_params(found, params), expected)


def test_symbols_and_one_hot_vectors_are_the_same():
    net, n_in, n_out, _ = CASES["2c"]
    _, params = built(net, n_in, n_out)
    symbols, dense, targets = example(n_in, n_out, symbols=True)
    weights = from_params(params)
    one_hot = gradient(weights, np.moveaxis(dense, 0, -1), LENGTHS, targets)
    assert_same(gradient(weights, symbols, LENGTHS, targets), one_hot, 1e-14)


@pytest.mark.parametrize("case", ["adding", "2c"])
def test_what_stands_in_the_padding_does_not_matter(case):
    net, n_in, n_out, symbols = CASES[case]
    _, params = built(net, n_in, n_out)
    inputs, _, targets = example(n_in, n_out, symbols)
    padding = np.arange(T).reshape(-1, *[1] * (inputs.ndim - 1)) >= LENGTHS
    blank = np.where(padding, 0, inputs)
    weights = from_params(params)
    once, again = (gradient(weights, x, LENGTHS, targets) for x in (inputs, blank))
    assert_same(once, again, 0)


def test_trials_do_not_touch_each_other():
    net, n_in, n_out, symbols = CASES["2c"]
    _, params = built(net, n_in, n_out)
    inputs, _, targets = example(n_in, n_out, symbols)
    weights = from_params(params)
    together = gradient(weights, inputs, LENGTHS, targets)
    for trial in range(TRIALS):
        one = slice(trial, trial + 1)
        mine, theirs = jax.tree.map(lambda leaf: leaf[..., one], (weights, together))  # noqa: B023
        alone = gradient(mine, inputs[..., one], LENGTHS[one], targets[..., one])
        assert_same(alone, theirs, 1e-14)


@pytest.mark.parametrize("case", ["adding", "half reset", "identity h"])
def test_one_network_answers_many_sequences(case):
    net, n_in, n_out, symbols = CASES[case]
    _, params = built(net, n_in, n_out)
    inputs, _, _ = example(n_in, n_out, symbols)
    one = jax.tree.map(lambda leaf: leaf[..., :1], from_params(params))
    many = jax.tree.map(lambda leaf: jnp.repeat(leaf, TRIALS, -1), one)
    reading = reading_of(net)
    expected, _ = gradient(many, inputs, LENGTHS, np.zeros((n_out, TRIALS)), reading=reading)
    for weights in (one, many):
        assert_same(outputs(weights, inputs, LENGTHS, reading=reading), expected, 1e-14)


@pytest.mark.parametrize("case", CASES)
def test_conversion_and_back_is_exact(case):
    net, n_in, n_out, _ = CASES[case]
    _, params = built(net, n_in, n_out)
    back = to_params(from_params(params), params)
    assert jax.tree.structure(back) == jax.tree.structure(params)
    assert_same(back, params, 0)


def test_single_precision_stays_single():
    net, n_in, n_out, symbols = CASES["adding"]
    inputs, _, targets = example(n_in, n_out, symbols)
    singles = jax.tree.map(jnp.float32, (from_params(built(net, n_in, n_out)[1]), inputs, targets))
    found = gradient(*singles[:2], LENGTHS, singles[2])
    assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {jnp.dtype("float32")}
