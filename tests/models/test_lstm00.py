import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.lstm00 import ended, online
from models.lstm00.net import CellsOnly00, Net00
from models.lstm97 import every_step, stream
from models.lstm97.forward import from_params as from_params97
from models.lstm97.net import Net97, Shortcuts97, squared_error
from tests.support import oracle00

SMALL = Net00(2, 2, gate_bias=(-0.5, -1.0), forget_bias=(0.5, 1.0))
WITHOUT = Net00(2, 2, gate_bias=(-0.5, -1.0), forget_bias=None)
T, N_IN, N_OUT, TRIALS = 6, 3, 2, 2
RESETS = [True, False, False, True, False, False]

CELLS_ONLY = CellsOnly00(2, 2, gate_bias=(-0.5, -1.0), forget_bias=None)
each_net = pytest.mark.parametrize(
    "net", [SMALL, WITHOUT, CELLS_ONLY], ids=["forget", "standard", "cells-only"]
)


def drawn(net, seed=0):
    """Parameters of some trials, in double precision, inputs and targets, all random."""
    draw = np.random.default_rng(seed)
    state = nnx.state(nnx.eval_shape(lambda: net.build(N_IN, N_OUT, nnx.Rngs(0))))
    params = jax.tree.map(lambda leaf: draw.uniform(-1, 1, (TRIALS, *leaf.shape)), state)
    return params, draw.normal(size=(T, N_IN, TRIALS)), draw.uniform(size=(T, N_OUT, TRIALS))


def for_oracle(net, params, trial):
    weights = (np.asarray(leaf[..., trial]) for leaf in online.from_params(params))
    return oracle00.Net(net.blocks, net.size, *weights)


@pytest.mark.parametrize(
    ("net", "count"),
    [(Net00(), 424), (Net00(forget_bias=None), 360), (CellsOnly00(forget_bias=None), 311)],
)
def test_weights_are_as_many_as_in_the_paper(net, count):
    network = nnx.eval_shape(lambda: net.build(7, 7, nnx.Rngs(0)))
    assert sum(leaf.size for leaf in jax.tree.leaves(nnx.state(network))) == count


def test_initial_weights():
    network = Net00().build(7, 7, nnx.Rngs(0))
    assert network.cell.b[...].tolist() == [-0.5, -1, -1.5, -2] * 2 + [0.5, 1, 1.5, 2]
    for drawn_weights in (network.cell.W, network.readout.kernel, network.readout.bias):
        assert 0.1 < abs(drawn_weights[...]).max() < 0.2


@pytest.mark.usefixtures("float64")
@each_net
def test_steps_follow_the_equations(net):
    params, inputs, _ = drawn(net)
    graph = nnx.graphdef(nnx.eval_shape(lambda: net.build(N_IN, N_OUT, nnx.Rngs(0))))
    for trial in range(TRIALS):
        network = nnx.merge(graph, jax.tree.map(lambda leaf, i=trial: jnp.asarray(leaf[i]), params))
        carry = network.cell.initialize_carry((N_IN,), nnx.Rngs(0))
        _, nets = network.resume(carry, jnp.asarray(inputs[..., trial]), jnp.array(RESETS))
        expected, _ = oracle00.run(for_oracle(net, params, trial), inputs[..., trial], RESETS)
        np.testing.assert_allclose(jax.nn.sigmoid(nets), expected, rtol=0, atol=1e-13)


@pytest.mark.usefixtures("float64")
@each_net
def test_the_forward_gradient_is_the_truncated_one_at_every_step(net):
    params, inputs, targets = drawn(net)
    weights = online.from_params(params)
    state = online.start(weights, net.blocks)
    learn = jax.jit(online.learn, static_argnames="blocks")
    for t in range(T):
        if RESETS[t]:
            state = online.start(weights, net.blocks)
        y, gradient, state = learn(weights, state, inputs[t], targets[t], blocks=net.blocks)
        for trial in range(TRIALS):
            own = for_oracle(net, params, trial)
            past = inputs[: t + 1, :, trial]
            np.testing.assert_allclose(
                y[:, trial], oracle00.run(own, past, RESETS)[0][-1], rtol=0, atol=1e-13
            )
            wanted = oracle00.gradient(own, past, RESETS, targets[t, :, trial])
            for found, expected in zip(gradient, wanted, strict=True):
                np.testing.assert_allclose(found[..., trial], expected, rtol=0, atol=1e-12)


@pytest.mark.usefixtures("float64")
@each_net
def test_the_gradient_at_the_end_is_that_of_automatic_differentiation(net):
    params, inputs, targets = drawn(net)
    lengths = np.array([T, T - 2])
    graph = nnx.graphdef(nnx.eval_shape(lambda: net.build(N_IN, N_OUT, nnx.Rngs(0))))
    weights = online.from_params(params)
    learn = jax.jit(ended.gradient, static_argnames="blocks")
    y, gradient = learn(weights, inputs, lengths, targets[-1], blocks=net.blocks)
    outputs = ended.outputs(weights, inputs, lengths, net.blocks)
    np.testing.assert_allclose(outputs, y, rtol=0, atol=1e-14)
    found = online.to_params(gradient, params)
    for trial, length in enumerate(lengths):

        def error(own, i=trial, n=length):
            net_input = nnx.merge(graph, own).last(inputs[..., i], n)
            return squared_error(net_input, targets[-1, :, i])

        expected = jax.grad(error)(jax.tree.map(lambda leaf, i=trial: leaf[i], params))
        mine = jax.tree.map(lambda leaf, i=trial: leaf[i], found)
        for one, other in zip(*map(jax.tree.leaves, (mine, expected)), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-13)


@pytest.mark.usefixtures("float64")
def test_symbols_stand_for_one_hot_inputs():
    params, _, targets = drawn(SMALL)
    symbols = np.random.default_rng(1).integers(0, N_IN, (T, TRIALS))
    one_hot = (symbols[:, None] == np.arange(N_IN)[:, None]).astype(float)
    given = np.array([T, 3]), targets[-1], SMALL.blocks
    weights = online.from_params(params)
    for one, other in zip(
        jax.tree.leaves(ended.gradient(weights, jnp.asarray(symbols), *given)),
        jax.tree.leaves(ended.gradient(weights, jnp.asarray(one_hot), *given)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("float64")
def test_params_come_back():
    params, _, _ = drawn(SMALL)
    again = online.to_params(online.from_params(params), params)
    for one, other in zip(*map(jax.tree.leaves, (again, params)), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "net", [Net97(2, 2), Net97(2, 2, "gates"), Net97(2, 2, "all"), Shortcuts97(2, 2, "all")]
)
def test_a_step_of_the_net_of_1997_is_that_within_a_sequence(net):
    """As `every_step.follow`, which has an oracle of its own, with weights that change at once."""
    draw = np.random.default_rng(0)
    state = nnx.state(nnx.eval_shape(lambda: net.build(N_IN, N_OUT, nnx.Rngs(0))))
    params = jax.tree.map(lambda leaf: draw.uniform(-1, 1, (TRIALS, *leaf.shape)), state)
    inputs, targets = draw.normal(size=(T, N_IN, TRIALS)), draw.uniform(size=(T, N_OUT, TRIALS))
    rates = np.array([0.5, 0.1])
    weights = from_params97(params)
    outputs, wanted = every_step.follow(
        weights, jnp.asarray(inputs), np.full(TRIALS, T), jnp.asarray(targets), rates, True
    )
    now = stream.start(weights)
    for t in range(T):
        y, gradient, now = stream.learn(weights, now, inputs[t], targets[t])
        weights = jax.tree.map(lambda w, d: w - rates * d, weights, gradient)
        np.testing.assert_allclose(y, outputs[t], rtol=0, atol=1e-12)
    for one, other in zip(*map(jax.tree.leaves, (weights, wanted)), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["gate_bias", "forget_bias"])
def test_biases_are_one_per_block(name):
    with pytest.raises(ValueError, match=f"{name} needs 4 values, one per block"):
        Net00(**{name: (1.0, 2.0)})
