import csv
import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.lstm97.lag_net import LagNet97
from models.lstm97.net import (
    LSTM97,
    IdentityH97,
    Net97,
    Shortcuts97,
    Simulator97,
    squared_error,
)
from tests.support import oracle97

REFERENCE = Path(__file__).parents[2] / "benchmarks/analysis/reference/hs97_tables.csv"
with REFERENCE.open() as file:
    ROWS = [row for row in csv.DictReader(file) if row["method"] == "lstm97"]

WIDTHS = {  # inputs and outputs; those of 2c follow from p
    "reber": (7, 7),
    "lag-2a": (101, 101),
    "lag-2b": (101, 101),
    "two-sequence-3a": (1, 1),
    "two-sequence-3b": (1, 1),
    "two-sequence-3c": (1, 1),
    "adding": (2, 1),
    "multiplication": (2, 1),
    "temporal-order-6a": (8, 4),
    "temporal-order-6b": (8, 8),
}
BIASES = {"reber": "gates", "lag-2c": "none", "two": "hidden"}

NETS = [
    (Net97(1, 1), 1, 1),
    (Net97(3, 1, "hidden"), 1, 1),
    (Net97(2, 2, "all"), 2, 1),
    (Net97(2, 3, "gates"), 4, 3),
]
T = 9
SCORED = {"end": np.arange(T) == T - 1, "every step": np.full(T, True)}


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield


def built(net, n_in, n_out):
    """A network with random weights in double precision, larger than initial ones."""
    draw = np.random.default_rng(0)
    graph, state = nnx.split(nnx.eval_shape(lambda: net.build(n_in, n_out, nnx.Rngs(0))))
    return nnx.merge(graph, jax.tree.map(lambda leaf: draw.uniform(-1, 1, leaf.shape), state))


def for_oracle(net, network):
    """The same weights as the oracle holds them."""
    params = jax.tree.map(np.asarray, nnx.to_pure_dict(nnx.state(network)))
    cell, readout = params["cell"], params["readout"]
    H, n_out = len(cell["W_h"]), readout["kernel"].shape[1]
    b = cell.get("b", np.zeros(0))
    b = np.append(b, np.zeros(H - len(b)))
    hidden = np.concatenate([cell["W_x"], cell["W_h"], b[None]])
    bias = readout.get("bias", np.zeros(n_out))
    return oracle97.Net(
        net.blocks, net.size, hidden, np.concatenate([readout["kernel"], bias[None]])
    )


def example(n_in, n_out, seed=1):
    draw = np.random.default_rng(seed)
    return draw.normal(size=(T, n_in)), draw.uniform(size=(T, n_out))


@functools.partial(jax.jit, static_argnums=0)
def derivatives(graph, params, inputs, targets, scored, length):
    """Gradient of the error at the scored steps, and the outputs."""

    def loss(params):
        net = nnx.merge(graph, params)(inputs, length)
        return jnp.sum(jnp.where(scored, squared_error(net, targets), 0)), jax.nn.sigmoid(net)

    return jax.grad(loss, has_aux=True)(params)


def autodiff(network, inputs, targets, scored, length=T):
    """Outputs, and gradients laid out as the oracle's."""
    gradient, outputs = derivatives(*nnx.split(network), inputs, targets, scored, length)
    found = nnx.to_pure_dict(gradient)
    cell, readout = found["cell"], found["readout"]
    hidden = [cell["W_x"], cell["W_h"]] + ([cell["b"]] if "b" in cell else [])
    to_outputs = [readout["kernel"]] + ([readout["bias"]] if "bias" in readout else [])
    return outputs, hidden, to_outputs


def assert_same(found, expected, tolerance=1e-9):
    """Compares arrays one below the other; biases may be shorter than the oracle's."""
    row = 0
    for array in found:
        array = np.atleast_2d(array)
        wanted = expected[row : row + len(array), : array.shape[1]]
        np.testing.assert_allclose(array, wanted, rtol=0, atol=tolerance)
        row += len(array)


def of_row(row):
    """The network of a row of the paper's tables, and its inputs and outputs."""
    task = row["task"]
    if task in ("lag-2a", "lag-2b"):
        return LagNet97(), *WIDTHS[task]
    blocks, size = map(int, row["hidden"].split("x"))
    bias = next((b for start, b in BIASES.items() if task.startswith(start)), "all")
    widths = (int(row["p"]) + 4, 2) if task == "lag-2c" else WIDTHS[task]
    return Net97(blocks, size, bias), *widths


def test_the_paper_has_31_rows_of_this_method():
    assert len(ROWS) == 31


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["row"])
def test_number_of_weights_is_the_papers(row):
    net, n_in, n_out = of_row(row)
    abstract = nnx.eval_shape(lambda: net.build(n_in, n_out, nnx.Rngs(0)))
    sizes = [leaf.size for leaf in jax.tree.leaves(nnx.state(abstract))]
    assert sum(sizes) == int(row["weights"])


@pytest.mark.parametrize("errors", SCORED)
@pytest.mark.parametrize(("net", "n_in", "n_out"), NETS)
def test_gradient_is_that_of_equations_19_to_28(net, n_in, n_out, errors):
    network, (inputs, targets) = built(net, n_in, n_out), example(n_in, n_out)
    outputs, hidden, readout = autodiff(network, inputs, targets, SCORED[errors])
    expected = oracle97.truncated(for_oracle(net, network), inputs, targets, SCORED[errors])
    np.testing.assert_allclose(outputs, expected[0], rtol=0, atol=1e-12)
    assert_same(hidden, expected[1])
    assert_same(readout, expected[2])


@pytest.mark.parametrize("errors", SCORED)
def test_without_squashing_of_states_too(errors, monkeypatch):
    monkeypatch.setattr(oracle97, "h", lambda s: s)
    monkeypatch.setattr(oracle97, "h_slope", np.ones_like)
    test_gradient_is_that_of_equations_19_to_28(IdentityH97(2, 2, "all"), 2, 1, errors)


def test_shortcuts_add_a_product_with_the_inputs():
    net, (inputs, _) = Shortcuts97(2, 2, "all"), example(3, 2)
    network = built(net, 3, 2)
    direct = np.array(network.readout.direct)
    with_them, last = network(inputs, T), network.last(inputs, T)
    network.readout.direct[...] = jnp.zeros_like(direct)
    np.testing.assert_allclose(with_them - network(inputs, T), inputs @ direct, rtol=0, atol=1e-12)
    np.testing.assert_allclose(last, with_them[-1], rtol=0, atol=1e-12)
    assert np.ptp(direct) > 0


def test_shortcuts_leave_the_other_initial_weights_as_they_are():
    mine, theirs = (
        nnx.to_pure_dict(nnx.state(kind(2, 2, "all").build(3, 2, nnx.Rngs(0))))
        for kind in (Shortcuts97, Net97)
    )
    direct = mine["readout"].pop("direct")
    assert direct.shape == (3, 2)
    assert 0 < np.ptp(direct) < 0.2
    jax.tree.map(np.testing.assert_array_equal, mine, theirs)


def test_the_simulator_draws_stated_biases_too():
    given = (2, 2, "all", (-3.0, -6.0))
    mine, theirs, drawn = (
        np.asarray(kind(*more).build(2, 1, nnx.Rngs(0)).cell.b[...])
        for kind, more in ((Simulator97, given), (Net97, given), (Net97, given[:3]))
    )
    np.testing.assert_allclose(mine[2:4], drawn[2:4] - [3, 6], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(theirs[2:4], [-3, -6])
    np.testing.assert_array_equal(np.delete(mine, [2, 3]), np.delete(theirs, [2, 3]))


@pytest.mark.parametrize("truncate", [True, False])
@pytest.mark.parametrize(("net", "n_in", "n_out"), NETS)
def test_gradient_is_that_of_a_perturbed_network(net, n_in, n_out, truncate):
    net = Net97(**{**vars(net), "truncate": truncate})
    network, (inputs, targets) = built(net, n_in, n_out), example(n_in, n_out)
    scored = SCORED["every step"]
    _, hidden, readout = autodiff(network, inputs, targets, scored)
    expected = oracle97.sensitivity(for_oracle(net, network), inputs, targets, scored, truncate)
    assert_same(hidden, expected[0])
    assert_same(readout, expected[1])


def test_truncation_changes_the_gradient_of_hidden_weights_only():
    net, n_in, n_out = NETS[2]
    inputs, targets = example(n_in, n_out)
    full = Net97(**{**vars(net), "truncate": False})
    ours, full = (
        autodiff(built(n, n_in, n_out), inputs, targets, SCORED["end"]) for n in (net, full)
    )
    assert np.abs(ours[1][0] - full[1][0]).max() > 1e-4
    assert_same(ours[2], np.concatenate([np.atleast_2d(a) for a in full[2]]), 1e-15)


@pytest.mark.parametrize("length", [1, 5, 8])
def test_a_padded_sequence_counts_as_the_short_one(length):
    net, n_in, n_out = NETS[2]
    network, (inputs, targets) = built(net, n_in, n_out), example(n_in, n_out)
    scored = np.arange(T) < length
    _, hidden, readout = autodiff(network, inputs, targets, scored, length)
    cut = slice(0, length)
    expected = oracle97.truncated(for_oracle(net, network), inputs[cut], targets[cut], scored[cut])
    assert_same(hidden, expected[1])
    assert_same(readout, expected[2])


def flow(truncate):
    """Derivatives of the states after 1, ..., T steps by the states and the activations before."""
    cell = LSTM97(2, 2, 2, init_range=1.0, truncate=truncate, rngs=nnx.Rngs(0))

    def states(carry):
        _, (s, _) = jax.lax.scan(lambda carry, x: (cell(carry, x)[0],) * 2, carry, example(2, 1)[0])
        return s

    s, u = cell.initialize_carry((2,))
    carry = jnp.float64(s + 0.3), jnp.float64(u + 0.5)
    return jax.jit(jax.jacobian(states))(carry)


def test_error_flow_through_the_carousel_is_constant():
    by_states, by_units = flow(truncate=True)
    np.testing.assert_array_equal(by_states, np.broadcast_to(np.eye(4), (T, 4, 4)))
    np.testing.assert_array_equal(by_units, 0)


def test_without_truncation_error_flows_elsewhere_too():
    by_states, by_units = flow(truncate=False)
    assert np.abs(by_states[1] - np.eye(4)).max() > 1e-2
    assert np.abs(by_units[0]).max() > 1e-2


def test_delta_of_an_output_has_no_factor_2():
    net, target = jnp.array([0.3, -2.0]), jnp.array([1.0, 0.2])
    y = 1 / (1 + np.exp(-net))
    delta = -jax.grad(squared_error)(net, target)
    np.testing.assert_allclose(delta, y * (1 - y) * (target - y), rtol=1e-12)


def test_initial_weights_fill_the_range_and_not_more():
    network = Net97(2, 1, "all", init_range=0.2).build(1004, 2, nnx.Rngs(0))
    leaves = jax.tree.leaves(nnx.state(network))
    weights = np.concatenate([np.ravel(leaf) for leaf in leaves])
    assert np.abs(weights).max() <= 0.2
    assert weights.min() < -0.199
    assert weights.max() > 0.199
    np.testing.assert_allclose(weights.std(), 0.2 / np.sqrt(3), rtol=0.02)  # that of uniform


def test_gate_biases_start_where_they_are_told_and_the_rest_at_random():
    net = Net97(3, 2, "all", input_gate_bias=(-2.0, -4.0, -6.0))
    b = net.build(8, 8, nnx.Rngs(0)).cell.b[...]
    np.testing.assert_array_equal(b[3:6], [-2, -4, -6])
    others = np.delete(b, [3, 4, 5])
    assert np.abs(others).max() <= 0.1
    assert len(set(others.tolist())) == len(others)


@pytest.mark.parametrize(
    "wrong",
    [
        {"bias": "none", "input_gate_bias": (-1.0, -2.0)},
        {"bias": "gates", "output_gate_bias": (-1.0,)},
    ],
)
def test_impossible_gate_biases_are_refused(wrong):
    with pytest.raises(ValueError, match="one per block"):
        Net97(2, 2, **wrong)


def test_networks_depend_on_their_key_only():
    same, again, other = (
        jax.tree.leaves(nnx.state(Net97(2, 2, "all").build(2, 1, nnx.Rngs(seed))))
        for seed in (0, 0, 1)
    )
    assert all(np.array_equal(a, b) for a, b in zip(same, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(same, other, strict=True))


def test_the_cell_runs_in_flax_rnn_with_a_batch():
    net, n_in, n_out = NETS[3]
    network = built(net, n_in, n_out)
    inputs = np.stack([example(n_in, n_out, seed)[0] for seed in (1, 2)])
    batched = network.readout(nnx.RNN(network.cell)(inputs))
    alone = [network(x, T) for x in inputs]
    np.testing.assert_allclose(batched, jnp.stack(alone), rtol=0, atol=1e-12)


def test_gates_are_those_that_made_the_new_state():
    network = built(Net97(2, 3, "gates"), 4, 3)
    carry = network.cell.initialize_carry((4,))
    for x in example(4, 3)[0]:
        gates = network.cell.gates(carry, x)
        (s, u), _ = network.cell(carry, x)
        np.testing.assert_allclose(u[:4], [*gates["out"], *gates["in"]])
        np.testing.assert_allclose(s, carry[0] + np.repeat(gates["in"], 3) * gates["g"])
        carry = s, u
