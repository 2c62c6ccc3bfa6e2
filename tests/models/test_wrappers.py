import dataclasses
import functools
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.gru_variants import MinGRU, ResetAfterGRU
from models.lru import LRU
from models.lstm import LSTM
from models.network import Network, Recurrent
from models.ode_cells import LEM
from models.wrappers import Bidirectional, Normalised, Stack
from tests.models.case import N_IN, N_OUT, H, T, close, named, network64, pure
from tests.models.cases import CASE
from tests.models.oracles import steps

LENGTHS = np.array([T, 5, 1])
FLAX = [nnx.GRUCell, nnx.OptimizedLSTMCell]
INSIDE = [LSTM, ResetAfterGRU, LRU, LEM, *FLAX]

insides = pytest.mark.parametrize("inside", INSIDE, ids=lambda cell: cell.__name__)
WRAPPED = [Stack(cell, 2) for cell in INSIDE] + [
    *(Normalised(cell) for cell in INSIDE),
    Normalised(LSTM, fed_back=True),
    Normalised(nnx.OptimizedLSTMCell, fed_back=True),
    Stack(Normalised(MinGRU), 3),
    Normalised(Stack(ResetAfterGRU, 2)),
]
wrapped = pytest.mark.parametrize("cell", WRAPPED, ids=str)
MODELS = [Bidirectional(cell, H) for cell in [*INSIDE, Stack(LSTM, 2)]]
MODELS += [Recurrent(cell, H) for cell in WRAPPED]
models = pytest.mark.parametrize("model", MODELS, ids=str)
OURS = [ResetAfterGRU, LRU, LEM]
ours = pytest.mark.parametrize("inside", OURS, ids=lambda cell: cell.__name__)


def answers(graph, weights, xs, errors, length):
    """Gradients by weights and inputs, and outputs, of one sequence."""

    @jax.jit
    def run(weights, xs):
        def loss(weights, xs):
            outputs = nnx.merge(graph, weights)(xs, length)
            return jnp.sum(outputs * errors), outputs

        return jax.grad(loss, (0, 1), has_aux=True)(weights, xs)

    return run(weights, xs)


def layer_norm(y, gain, bias):
    standard = (y - y.mean()) / np.sqrt(y.var() + 1e-5)
    return gain * standard + bias, standard


def layer_norm_back(y, gain, d, G):
    _, standard = layer_norm(y, gain, 0)
    G["gain"] += d * standard
    G["norm"] += d
    d = d * gain
    return (d - d.mean() - standard * (d * standard).mean()) / np.sqrt(y.var() + 1e-5)


def normalised(case, fed_back):
    """Step and backward step of a cell with normalised output; y is the first part of its carry."""
    step, step_back = case.step, case.back

    def forward(w, carry, x):
        carry, y, memory = step(w, carry, x)
        normal, _ = layer_norm(y, w["gain"], w["norm"])
        return (normal, *carry[1:]) if fed_back else carry, normal, (memory, y)

    def backward(w, G, saved, d, dy):
        memory, y = saved
        if fed_back:
            d, dy = (np.zeros_like(d[0]), *d[1:]), dy + d[0]
        return step_back(w, G, memory, d, layer_norm_back(y, w["gain"], dy, G))

    return forward, backward


@pytest.mark.usefixtures("float64")
@ours
def test_a_stack_is_its_layers_one_after_the_other(inside):
    case = CASE[inside]
    graph, weights, rng = network64(Recurrent(Stack(inside, 2), H))
    layers = [named(case, pure(weights)["cell"]["layers"][i]) for i in range(2)]
    readout = np.asarray(pure(weights)["readout"]["kernel"])
    xs, errors = rng.standard_normal((T, N_IN)), rng.standard_normal((T, N_OUT))
    errors[6:] = 0
    (dweights, dxs), outputs = answers(graph, weights, xs, errors, 6)

    below, first = case.unroll(layers[0], xs[:6])
    above, second = case.unroll(layers[1], below)
    close(outputs[:6], above @ readout + np.asarray(pure(weights)["readout"]["bias"]))
    slopes = errors[:6] @ readout.T
    G2, slopes = case.bptt(layers[1], second, slopes)
    G1, dinputs = case.bptt(layers[0], first, slopes)
    for i, G in enumerate((G1, G2)):
        got = named(case, pure(dweights)["cell"]["layers"][i])
        for key in G:
            close(got[key], G[key], err_msg=key)
    close(dxs[:6], dinputs)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("inside", "fed_back"), [(ResetAfterGRU, False), (LRU, False), (LEM, False), (LEM, True)]
)
def test_normalised_outputs_and_gradients_match_numpy(inside, fed_back):
    case = CASE[inside]
    graph, weights, rng = network64(Recurrent(Normalised(inside, fed_back), H))
    cell, readout = pure(weights)["cell"], np.asarray(pure(weights)["readout"]["kernel"])
    norm = {"gain": np.asarray(cell["norm"]["scale"]), "norm": np.asarray(cell["norm"]["bias"])}
    w = named(case, cell["cell"]) | norm
    xs, errors = rng.standard_normal((T, N_IN)), rng.standard_normal((T, N_OUT))
    errors[6:] = 0
    (dweights, dxs), outputs = answers(graph, weights, xs, errors, 6)

    step, step_back = normalised(case, fed_back)
    ys, memories = steps.unroll(step, w, case.zero, xs[:6])
    close(outputs[:6], ys @ readout + np.asarray(pure(weights)["readout"]["bias"]))
    G, dinputs = steps.bptt(step_back, w, memories, errors[:6] @ readout.T, case.zero)
    slopes = pure(dweights)["cell"]
    got = named(case, slopes["cell"])
    got |= {"gain": slopes["norm"]["scale"], "norm": slopes["norm"]["bias"]}
    for key in G:
        close(got[key], G[key], err_msg=key)
    close(dxs[:6], dinputs)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("length", [T, 6, 1])
@ours
def test_bidirectional_outputs_and_gradients_match_numpy(inside, length):
    case = CASE[inside]
    graph, weights, rng = network64(Bidirectional(inside, H))
    xs, errors = rng.standard_normal((T, N_IN)), rng.standard_normal((T, N_OUT))
    errors[length:] = 0
    (dweights, dxs), outputs = answers(graph, weights, xs, errors, length)

    expected, dinputs = np.asarray(pure(weights)["ahead"]["readout"]["bias"]), 0
    for name, order in (("ahead", slice(None)), ("back", slice(None, None, -1))):
        w = named(case, pure(weights)[name]["cell"])
        readout = np.asarray(pure(weights)[name]["readout"]["kernel"])
        ys, memories = case.unroll(w, xs[:length][order])
        expected = expected + ys[order] @ readout
        slopes = errors[:length][order] @ readout.T
        G, dx = case.bptt(w, memories, slopes)
        dinputs = dinputs + dx[order]
        got = named(case, pure(dweights)[name]["cell"])
        for key in G:
            close(got[key], G[key], err_msg=f"{name} {key}")
        close(pure(dweights)[name]["readout"]["kernel"], ys[order].T @ errors[:length])
    close(outputs[:length], expected)
    close(dxs[:length], dinputs)
    np.testing.assert_array_equal(dxs[length:], 0)


@models
def test_a_batch_in_one_call_is_its_sequences_one_by_one(model):
    graph, weights = nnx.split(model.build(N_IN, N_OUT, nnx.Rngs(0)))
    xs = jax.random.normal(jax.random.key(2), (3, T, N_IN))

    @jax.jit
    def both(xs):
        network = nnx.merge(graph, weights)
        one_by_one = jax.vmap(network)(xs, LENGTHS), jax.vmap(network.last)(xs, LENGTHS)
        return (network(xs, LENGTHS), network.last(xs, LENGTHS)), one_by_one

    alike = functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5)
    together, apart = both(xs)
    jax.tree.map(alike, together, apart)
    alike(together[1], together[0][np.arange(3), LENGTHS - 1])


@models
def test_networks_keep_weights_and_nothing_else(model):
    network = model.build(N_IN, N_OUT, nnx.Rngs(0))
    assert model.growth is None
    assert jax.tree.leaves(nnx.state(network, nnx.Not(nnx.Param))) == []
    assert jax.tree.leaves(nnx.state(network, nnx.Param))


@models
def test_models_are_told_apart_by_their_fields_and_travel_to_workers(model):
    fields = {field.name: getattr(model, field.name) for field in dataclasses.fields(model)}
    again = type(model)(**fields)
    assert again == model == pickle.loads(pickle.dumps(model))
    assert hash(again) == hash(model)
    assert sum(other == model for other in MODELS) == 1


@wrapped
def test_a_wrapper_says_of_itself_what_its_cell_says(cell):
    innermost = cell
    while dataclasses.is_dataclass(innermost):
        innermost = innermost.cell
    assert cell.batched == getattr(innermost, "batched", False) == (innermost not in FLAX)
    assert cell.settings == getattr(innermost, "settings", ())
    assert Bidirectional(cell, H).batched == cell.batched


@wrapped
def test_wrapped_cells_run_in_the_rnn_layer_of_flax(cell):
    module = cell(N_IN, H, rngs=nnx.Rngs(0))
    xs = jax.random.normal(jax.random.key(2), (2, T, N_IN))
    expected = Network(module, lambda y: y)(xs, np.full(2, T))
    assert expected.shape == (2, T, H)
    np.testing.assert_allclose(nnx.RNN(module)(xs, rngs=nnx.Rngs(0)), expected, atol=1e-6)


def test_every_layer_gets_the_settings_and_weights_of_its_own():
    cell = Stack(LSTM, 3)(N_IN, H, memory=jnp.float32(50.0), rngs=nnx.Rngs(0))
    for layer in cell.layers:
        np.testing.assert_allclose(layer.b[H : 2 * H], np.log(49), rtol=1e-6)
    inside = Normalised(LSTM)(N_IN, H, memory=50.0, rngs=nnx.Rngs(0)).cell
    np.testing.assert_allclose(inside.b[H : 2 * H], np.log(49), rtol=1e-6)
    assert [layer.W_x.shape[0] for layer in cell.layers] == [N_IN, H, H]
    assert np.all(cell.layers[1].W_x[...] != cell.layers[2].W_x[...])


def test_a_setting_may_be_traced():
    @jax.jit
    def biases(memory):
        cell = Normalised(Stack(LSTM, 2))(N_IN, H, memory=memory, rngs=nnx.Rngs(0))
        return [layer.b[...] for layer in cell.cell.layers]

    for bias in biases(jnp.float32(50.0)):
        np.testing.assert_allclose(bias[H : 2 * H], np.log(49), rtol=1e-6)


@pytest.mark.parametrize(
    ("model", "count"),
    [
        (Recurrent(Stack(LSTM, 2), H), 4 * H * (N_IN + H + 1) + 4 * H * (2 * H + 1)),
        (Recurrent(Stack(MinGRU, 3), H), 2 * H * (N_IN + 1) + 4 * H * (H + 1)),
        (Recurrent(Normalised(LSTM), H), 4 * H * (N_IN + H + 1) + 2 * H),
        (Bidirectional(LSTM, H), 2 * 4 * H * (N_IN + H + 1) + H * N_OUT),
    ],
    ids=str,
)
def test_number_of_weights(model, count):
    weights = nnx.state(model.build(N_IN, N_OUT, nnx.Rngs(0)))
    assert sum(leaf.size for leaf in jax.tree.leaves(weights)) == count + (H + 1) * N_OUT


@insides
def test_outputs_are_normalised_at_each_step(inside):
    module = Normalised(inside)(N_IN, 64, rngs=nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(0), (4, N_IN))
    _, y = module(module.initialize_carry(x.shape, nnx.Rngs(0)), 10 * x)
    np.testing.assert_allclose(y.mean(-1), 0, atol=1e-5)
    np.testing.assert_allclose(y.var(-1), 1, rtol=0.1)


@pytest.mark.parametrize("cell", [LSTM, nnx.OptimizedLSTMCell])
@pytest.mark.parametrize("fed_back", [False, True])
def test_only_the_copy_of_the_output_in_the_carry_is_normalised(cell, fed_back):
    module = Normalised(cell, fed_back)(N_IN, H, rngs=nnx.Rngs(0))
    carry = module.initialize_carry((N_IN,), nnx.Rngs(0))
    (c, h), y = module(carry, jnp.ones(N_IN))
    plain, output = module.cell(carry, jnp.ones(N_IN))
    np.testing.assert_array_equal(c, plain[0])
    np.testing.assert_array_equal(h, y if fed_back else output)


def test_a_carry_without_the_output_cannot_be_fed_back():
    module = Normalised(LRU, fed_back=True)(N_IN, H, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="carry of LRU holds no copy of its output"):
        module(module.initialize_carry((N_IN,)), jnp.ones(N_IN))


def test_both_readouts_start_as_one_of_twice_the_inputs():
    network = Bidirectional(LSTM, 400).build(N_IN, 50, nnx.Rngs(0))
    for part in (network.ahead, network.back):
        assert np.var(part.readout.kernel[...]) * 800 == pytest.approx(1, rel=0.05)
    assert network.back.readout.bias is None
