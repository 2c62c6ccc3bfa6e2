import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.gru import GRU
from models.lstm import LSTM
from models.mut import MUT1, MUT2, MUT3
from models.network import Network, Recurrent
from models.rnn import RNN
from tests.support import cell_oracles as oracle

N_IN, H, N_OUT, T = 3, 5, 2, 12

# Weight of the cell -> weights of the equations that lie side by side in its columns.
BLOCKS = {
    RNN: {"W_xh": ["xh"], "W_hh": ["hh"], "b": ["b_h"]},
    LSTM: {
        "W_x": ["xi", "xf", "xg", "xo"],
        "W_h": ["hi", "hf", "hg", "ho"],
        "b": ["b_i", "b_f", "b_g", "b_o"],
    },
    GRU: {
        "W_x": ["xr", "xz", "xh"],
        "W_h": ["hr", "hz"],
        "W_hh": ["hh"],
        "b": ["b_r", "b_z", "b_h"],
    },
    MUT1: {
        "W_xu": ["xu"],
        "W_u": ["uz", "ur"],
        "W_hr": ["hr"],
        "W_hh": ["hh"],
        "b": ["b_z", "b_r", "b_h"],
    },
    MUT2: {
        "W_xu": ["xu"],
        "W_u": ["uz", "uh"],
        "W_h": ["hz", "hr"],
        "W_hh": ["hh"],
        "b": ["b_z", "b_r", "b_h"],
    },
    MUT3: {
        "W_x": ["xz", "xr", "xh"],
        "W_hz": ["hz"],
        "W_hr": ["hr"],
        "W_hh": ["hh"],
        "b": ["b_z", "b_r", "b_h"],
    },
}
CELLS = list(BLOCKS)
FLAX_CELLS = [nnx.SimpleCell, nnx.LSTMCell, nnx.OptimizedLSTMCell, nnx.GRUCell]

all_cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.__name__)
flax_too = pytest.mark.parametrize("cell", CELLS + FLAX_CELLS, ids=lambda cell: cell.__name__)


def named(cell, weights):
    """Weights (or gradients) of a cell under the names of the equations, as `[to, from]`."""
    return {
        name: np.asarray(block).T
        for attribute, names in BLOCKS[cell].items()
        for name, block in zip(
            names, np.split(np.asarray(weights[attribute]), len(names), -1), strict=True
        )
    }


def zero(cell):
    return (np.zeros(H), np.zeros(H)) if cell is LSTM else np.zeros(H)


@functools.cache
def build(cell, seed=0):
    """Graph and weights of a small network; built once, as compiling takes most of the time."""
    with jax.enable_x64(False):
        return nnx.split(Recurrent(cell, H).build(N_IN, N_OUT, nnx.Rngs(seed)))


def network64(cell):
    """Graph and float64 weights of a network with no weight at zero, and inputs of one sequence."""
    graph, weights = build(cell)
    rng = np.random.default_rng(0)
    disturbed = jax.tree.map(lambda a: np.asarray(a) + 0.3 * rng.standard_normal(a.shape), weights)
    return graph, jax.tree.map(jnp.asarray, disturbed), rng.standard_normal((T, N_IN)), rng


def pure(weights):
    return nnx.to_pure_dict(weights)


def oracle_of(cell):
    name = cell.__name__.lower()
    return getattr(oracle, name), getattr(oracle, name + "_back")


def hidden_states(cell, carries):
    return np.stack([carry[1] if cell is LSTM else carry for carry in carries])


close = functools.partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-13)


@pytest.fixture
def float64():
    with jax.enable_x64(True):
        yield


@pytest.mark.usefixtures("float64")
@all_cells
def test_outputs_and_gradients_match_numpy(cell):
    graph, weights, xs, rng = network64(cell)
    step, step_back = oracle_of(cell)
    w, readout = named(cell, pure(weights)["cell"]), np.asarray(pure(weights)["readout"]["kernel"])

    @jax.jit
    def run(weights, xs, length, errors):
        def loss(weights, xs):
            outputs = nnx.merge(graph, weights)(xs, length)
            return jnp.sum(outputs * errors), outputs

        return jax.grad(loss, (0, 1), has_aux=True)(weights, xs)

    for length in (T, 7, 1):
        errors = rng.standard_normal((T, N_OUT)) * (np.arange(T) < length)[:, None]
        (dweights, dxs), outputs = run(weights, xs, length, errors)
        assert outputs.dtype == np.float64

        carries, memories = oracle.unroll(step, w, zero(cell), xs[:length])
        hs = hidden_states(cell, carries)
        expected = hs @ readout + np.asarray(pure(weights)["readout"]["bias"])
        close(outputs[:length], expected)

        G, dinputs = oracle.bptt(step_back, w, memories, errors[:length] @ readout.T, zero(cell))
        got = named(cell, pure(dweights)["cell"])
        assert got.keys() == G.keys()
        for key, gradient in G.items():
            close(got[key], gradient, err_msg=key)
        close(pure(dweights)["readout"]["kernel"], hs.T @ errors[:length])
        close(dxs[:length], dinputs)
        np.testing.assert_array_equal(dxs[length:], 0)


@pytest.mark.usefixtures("float64")
@all_cells
def test_hand_written_gradients_match_finite_differences(cell):
    _, weights, xs, rng = network64(cell)
    w, errors = named(cell, pure(weights)["cell"]), rng.standard_normal((T, H))
    step, step_back = oracle_of(cell)

    def loss(w, xs):
        carries, memories = oracle.unroll(step, w, zero(cell), xs)
        return np.sum(hidden_states(cell, carries) * errors), memories

    G, dxs = oracle.bptt(step_back, w, loss(w, xs)[1], errors, zero(cell))
    for key in w:
        direction = rng.standard_normal(w[key].shape)
        up, down = (loss({**w, key: w[key] + e * direction}, xs)[0] for e in (1e-5, -1e-5))
        assert (up - down) / 2e-5 == pytest.approx(np.sum(G[key] * direction), rel=1e-6, abs=1e-7)
    direction = rng.standard_normal(xs.shape)
    up, down = (loss(w, xs + e * direction)[0] for e in (1e-5, -1e-5))
    assert (up - down) / 2e-5 == pytest.approx(np.sum(dxs * direction), rel=1e-6, abs=1e-7)


@flax_too
def test_scan_equals_the_loop_written_out(cell):
    network = nnx.merge(*build(cell))
    xs = jax.random.normal(jax.random.key(2), (T, N_IN))
    carry, expected = network.cell.initialize_carry((N_IN,), nnx.Rngs(0)), []
    for x in xs:
        carry, y = network.cell(carry, x)
        expected.append(network.readout(y))
    np.testing.assert_allclose(network(xs, T), jnp.stack(expected), rtol=1e-5, atol=1e-6)


@all_cells
def test_padding_changes_neither_outputs_nor_gradients(cell):
    graph, weights = build(cell)
    xs = jax.random.normal(jax.random.key(2), (T, N_IN))
    length = jnp.int32(7)

    @jax.jit
    @functools.partial(jax.grad, has_aux=True)
    def run(weights, xs):
        outputs = nnx.merge(graph, weights)(xs, length)
        scored = jnp.where((jnp.arange(T) < length)[:, None], outputs, 0)
        return jnp.sum(scored**2), scored

    jax.tree.map(np.testing.assert_array_equal, run(weights, xs), run(weights, xs.at[7:].set(1e3)))


@all_cells
def test_leading_axes_are_batch(cell):
    cell = cell(N_IN, H, rngs=nnx.Rngs(3))
    xs = jax.random.normal(jax.random.key(4), (2, 4, N_IN))
    carry = jax.tree.map(lambda a: a + 0.5, cell.initialize_carry(xs.shape))
    together = cell(carry, xs)
    apart = jax.vmap(jax.vmap(cell))(carry, xs)
    jax.tree.map(
        functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6), together, apart
    )
    assert together[1].shape == (2, 4, H)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("stored", [True, False], ids=["activations stored", "nothing stored"])
@all_cells
def test_a_batch_in_one_call_is_its_sequences_one_by_one(cell, stored, monkeypatch):
    monkeypatch.setattr("models.network.LONG", T if stored else 0)
    graph, weights, _, rng = network64(cell)
    xs, errors = (rng.standard_normal((2, 3, T, n)) for n in (N_IN, N_OUT))
    lengths = np.array([[T, 7, 1], [3, T, 5]])

    def loss(weights, xs, length, errors):
        outputs = nnx.merge(graph, weights)(xs, length)
        return jnp.sum(outputs * errors), outputs

    gradient = jax.grad(loss, has_aux=True)
    one_by_one = jax.vmap(jax.vmap(gradient, (None, 0, 0, 0)), (None, 0, 0, 0))
    together, outputs = jax.jit(gradient)(weights, xs, lengths, errors)
    apart, expected = jax.jit(one_by_one)(weights, xs, lengths, errors)
    close(outputs, expected)
    jax.tree.map(lambda mine, theirs: close(mine, theirs.sum((0, 1))), together, apart)


class Doubled(RNN):
    """A cell whose output is not what it carries on."""

    def __call__(self, carry, x):
        new, _ = super().__call__(carry, x)
        return new, jnp.concatenate([new, x], -1)


@pytest.mark.parametrize("stored", [True, False], ids=["activations stored", "nothing stored"])
@pytest.mark.parametrize("cell", [*CELLS, Doubled], ids=lambda cell: cell.__name__)
def test_the_last_answer_is_that_of_the_last_step(cell, stored, monkeypatch):
    monkeypatch.setattr("models.network.LONG", T if stored else 0)
    network = Network(cell(N_IN, H, rngs=nnx.Rngs(0)), lambda y: y @ jnp.ones((y.shape[-1], 2)))
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


@all_cells
def test_stacked_weights_run_under_vmap_and_jit(cell):
    nets = [build(cell, seed) for seed in range(3)]
    graph, trials = nets[0][0], [weights for _, weights in nets]
    xs = jax.random.normal(jax.random.key(6), (T, N_IN))
    run = jax.jit(lambda weights: nnx.merge(graph, weights)(xs, T))
    together = jax.jit(jax.vmap(run))(jax.tree.map(lambda *leaves: jnp.stack(leaves), *trials))
    apart = jnp.stack([run(weights) for weights in trials])
    np.testing.assert_allclose(together, apart, rtol=1e-4, atol=1e-5)


@all_cells
def test_carry_is_zero_without_keys_and_drawn_where_asked(cell):
    module = cell(N_IN, H, rngs=nnx.Rngs(0))
    for leaf in jax.tree.leaves(module.initialize_carry((4, N_IN))):
        np.testing.assert_array_equal(leaf, np.zeros((4, H)))
    drawn = module.initialize_carry((4, N_IN), nnx.Rngs(1), nnx.initializers.normal())
    leaves = jax.tree.leaves(drawn)
    assert all(leaf.shape == (4, H) and np.all(leaf != 0) for leaf in leaves)
    assert len({float(leaf[0, 0]) for leaf in leaves}) == len(leaves)


@all_cells
def test_runs_in_the_rnn_layer_of_flax(cell):
    module = cell(N_IN, H, rngs=nnx.Rngs(0))
    xs = jax.random.normal(jax.random.key(2), (2, T, N_IN))
    expected = jax.vmap(lambda x: Network(module, lambda y: y)(x, T))(xs)
    np.testing.assert_allclose(nnx.RNN(module)(xs, rngs=nnx.Rngs(0)), expected, atol=1e-6)


SIZES = [(1, 1), (2, 3), (8, 16), (100, 7)]
# Formula as the docstring gives it, as a function, and worked out by hand for SIZES.
WEIGHTS = {
    RNN: ("H (n_in + H + 1)", lambda n, h: h * (n + h + 1), [3, 18, 400, 756]),
    LSTM: ("4H (n_in + H + 1)", lambda n, h: 4 * h * (n + h + 1), [12, 72, 1600, 3024]),
    GRU: ("3H (n_in + H + 1)", lambda n, h: 3 * h * (n + h + 1), [9, 54, 1200, 2268]),
    MUT1: ("H (n_in + 4H + 3)", lambda n, h: h * (n + 4 * h + 3), [8, 51, 1200, 917]),
    MUT2: ("H (n_in + 5H + 3)", lambda n, h: h * (n + 5 * h + 3), [9, 60, 1456, 966]),
    MUT3: ("3H (n_in + H + 1)", lambda n, h: 3 * h * (n + h + 1), [9, 54, 1200, 2268]),
}


@all_cells
def test_number_of_weights(cell):
    text, formula, golden = WEIGHTS[cell]
    assert f"Weights: {text}." in cell.__doc__
    for (n_in, hidden), count in zip(SIZES, golden, strict=True):

        def weights(n_in=n_in, hidden=hidden):
            return nnx.state(Recurrent(cell, hidden).build(n_in, 2, nnx.Rngs(0)))

        size = sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(weights)))
        assert size - (2 * hidden + 2) == formula(n_in, hidden) == count


@all_cells
def test_initial_weights(cell):
    n_in, hidden = 40, 60
    module = cell(n_in, hidden, rngs=nnx.Rngs(0))
    weights = pure(nnx.state(module))
    assert all(leaf.dtype == np.float32 for leaf in weights.values())
    for name, block in named(cell, weights).items():
        if name.startswith("b_"):
            start = 1 if (cell, name) == (LSTM, "b_f") else 0
            np.testing.assert_array_equal(block, np.full(hidden, start))
        elif name.startswith("h"):
            np.testing.assert_allclose(block @ block.T, np.eye(hidden), atol=1e-5)
        else:
            assert np.var(block) * block.shape[1] == pytest.approx(1, rel=0.15)
            assert abs(np.mean(block)) < 0.02


@all_cells
def test_no_two_recurrent_blocks_are_alike(cell):
    weights = named(cell, pure(nnx.state(cell(N_IN, H, rngs=nnx.Rngs(0)))))
    corners = [float(block[0, 0]) for name, block in weights.items() if not name.startswith("b_")]
    assert len(set(corners)) == len(corners)


@all_cells
def test_weights_depend_on_the_key_alone(cell):
    def weights(seed):
        return pure(nnx.state(cell(N_IN, H, rngs=nnx.Rngs(seed))))

    once = weights(7)
    jax.tree.map(np.testing.assert_array_equal, once, weights(7))
    other = weights(8)
    assert all(np.all(once[name] != other[name]) for name in once if name != "b")


@pytest.mark.usefixtures("float64")
def test_weights_do_not_depend_on_the_default_precision():
    again = nnx.state(Recurrent(LSTM, H).build(N_IN, N_OUT, nnx.Rngs(0)))
    jax.tree.map(np.testing.assert_array_equal, pure(again)["cell"], pure(build(LSTM)[1])["cell"])


@all_cells
def test_module_keeps_weights_and_nothing_else(cell):
    module = cell(N_IN, H, rngs=nnx.Rngs(0))
    assert jax.tree.leaves(nnx.state(module, nnx.Not(nnx.Param))) == []


KEEPING = {
    LSTM: ("b_f", 1),
    GRU: ("b_z", 1),
    MUT1: ("b_z", -1),
    MUT2: ("b_z", -1),
    MUT3: ("b_z", -1),
}


@pytest.mark.parametrize("cell", KEEPING, ids=lambda cell: cell.__name__)
@pytest.mark.parametrize("memory", [20.0, (20.0, 20.0), (2.0, 400.0)])
def test_gates_start_at_the_memory_asked_for(cell, memory):
    name, sign = KEEPING[cell]
    bias = named(cell, pure(nnx.state(cell(N_IN, 200, memory=memory, rngs=nnx.Rngs(0)))))[name]
    steps = 1 / (1 - 1 / (1 + np.exp(-sign * bias.astype(np.float64))))
    low, high = np.broadcast_to(memory, 2)
    assert steps.min() > low * (1 - 1e-4)
    assert steps.max() < high * (1 + 1e-4)
    np.testing.assert_allclose(steps.mean(), (low + high) / 2, rtol=0.15)


def test_the_scale_of_recurrent_weights_is_their_singular_value():
    W = np.asarray(RNN(N_IN, H, scale=0.7, rngs=nnx.Rngs(0)).W_hh[...])
    np.testing.assert_allclose(np.linalg.svd(W)[1], 0.7, rtol=1e-5)


@pytest.mark.usefixtures("float64")
def test_lstm_matches_flax():
    _, weights, xs, _ = network64(LSTM)
    w = pure(weights)["cell"]
    theirs = nnx.OptimizedLSTMCell(N_IN, H, param_dtype=jnp.float64, rngs=nnx.Rngs(0))
    nnx.update(
        theirs,
        {"dense_i": {"kernel": w["W_x"]}, "dense_h": {"kernel": w["W_h"], "bias": w["b"]}},
    )
    ours = LSTM(N_IN, H, rngs=nnx.Rngs(0))
    nnx.update(ours, w)
    a = b = ours.initialize_carry((N_IN,))
    for x in jnp.asarray(xs):
        (a, ya), (b, yb) = ours(a, x), theirs(b, x)
        close(ya, yb)
    jax.tree.map(close, a, b)


@pytest.mark.usefixtures("float64")
def test_lstm_matches_the_two_bias_form_of_torch():
    graph, weights, xs, rng = network64(LSTM)
    w = {k: np.asarray(v).T for k, v in pure(weights)["cell"].items()}
    b_ih = rng.standard_normal(4 * H)
    b_hh = w["b"] - b_ih
    c, h = np.zeros(H), np.zeros(H)
    ours = nnx.merge(graph, weights).cell
    carry = ours.initialize_carry((N_IN,))
    for x in xs:
        gates = (w["W_x"] @ x + b_ih) + (w["W_h"] @ h + b_hh)
        i, f, g, o = gates[:H], gates[H : 2 * H], gates[2 * H : 3 * H], gates[3 * H :]
        c = c * oracle.sigmoid(f) + oracle.sigmoid(i) * np.tanh(g)
        h = oracle.sigmoid(o) * np.tanh(c)
        carry, y = ours(carry, jnp.asarray(x))
        close(y, h)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("reset_bias", "same"), [(0.0, False), (1e3, True)])
def test_gru_differs_from_flax_by_the_place_of_the_reset_only(reset_bias, same):
    _, weights, xs, _ = network64(GRU)
    w = pure(weights)["cell"]
    w["b"] = w["b"].at[:H].set(reset_bias)
    ours = GRU(N_IN, H, rngs=nnx.Rngs(0))
    nnx.update(ours, w)
    theirs = nnx.GRUCell(N_IN, H, param_dtype=jnp.float64, rngs=nnx.Rngs(0))
    recurrent = jnp.concatenate([w["W_h"], w["W_hh"]], -1)
    nnx.update(
        theirs, {"dense_i": {"kernel": w["W_x"], "bias": w["b"]}, "dense_h": {"kernel": recurrent}}
    )
    a = b = ours.initialize_carry((N_IN,))
    for x in jnp.asarray(xs):
        (a, _), (b, _) = ours(a, x), theirs(b, x)
    assert np.allclose(a, b, rtol=1e-12, atol=1e-13) == same


@pytest.mark.usefixtures("float64")
def test_mut2_is_a_gru_once_its_input_map_is_multiplied_out():
    graph, weights, xs, _ = network64(MUT2)
    w = named(MUT2, pure(weights)["cell"])
    flipped = {
        "xr": w["xu"],
        "hr": w["hr"],
        "b_r": w["b_r"],
        "xz": -w["uz"] @ w["xu"],
        "hz": -w["hz"],
        "b_z": -w["b_z"],
        "xh": w["uh"] @ w["xu"],
        "hh": w["hh"],
        "b_h": w["b_h"],
    }
    mut2 = nnx.merge(graph, weights).cell
    gru = np.stack(oracle.unroll(oracle.gru, flipped, zero(GRU), xs)[0])
    carry, states = mut2.initialize_carry((N_IN,)), []
    for x in jnp.asarray(xs):
        carry, y = mut2(carry, x)
        states.append(y)
    close(jnp.stack(states), gru)


@pytest.mark.parametrize("cell", FLAX_CELLS, ids=lambda cell: cell.__name__)
def test_cells_of_flax_train_unchanged(cell):
    graph, weights = build(cell)
    xs = jax.random.normal(jax.random.key(2), (T, N_IN))
    gradient = jax.jit(jax.grad(lambda w: jnp.sum(nnx.merge(graph, w)(xs, T) ** 2)))(weights)
    leaves = jax.tree.leaves(gradient)
    assert leaves
    assert all(np.all(np.isfinite(g)) and np.any(g != 0) for g in leaves)


def sigmoid_of(bias):
    return 1 / (1 + np.exp(-bias))


GATES = {
    LSTM: {"i": "b_i", "f": "b_f", "g": "b_g", "o": "b_o"},
    GRU: {"r": "b_r", "z": "b_z", "candidate": "b_h"},
    MUT1: {"z": "b_z", "r": "b_r", "candidate": "b_h"},
    MUT2: {"z": "b_z", "r": "b_r", "candidate": "b_h"},
    MUT3: {"z": "b_z", "r": "b_r", "candidate": "b_h"},
}


@pytest.mark.parametrize("cell", GATES, ids=lambda cell: cell.__name__)
def test_gates_have_the_names_of_the_equations(cell):
    """From a zero state and input, a gate is the squashed bias of the equation that names it."""
    graph, weights = build(cell)
    made = nnx.merge(graph, weights).cell
    made.b[...] = jnp.linspace(-2, 2, made.b.size)
    biases = named(cell, {**pure(weights)["cell"], "b": made.b[...]})
    gates = made.gates(made.initialize_carry((N_IN,)), jnp.zeros(N_IN))
    assert gates.keys() == GATES[cell].keys()
    for name, bias in GATES[cell].items():
        squash = np.tanh if name in ("g", "candidate") else sigmoid_of
        np.testing.assert_allclose(gates[name], squash(biases[bias]), rtol=1e-5)
