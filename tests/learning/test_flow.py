from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from benchmarks.errors import UsageError
from benchmarks.learning import flow
from benchmarks.learning.program import setups
from benchmarks.learning.select import program
from benchmarks.running import flow_study
from benchmarks.suites.cells import CORE
from models.lstm97.lag_net import LagNet97
from models.lstm97.net import Net97, squared_error
from models.network import Recurrent
from models.rnn import RNN
from tasks.sequence import BINARY, Sequence
from tasks.two_sequence import TwoSequence3a
from tests.cells.complex_lru import ComplexLRU
from tests.support import drawing
from tests.support.tiny import RECIPE

TASK = TwoSequence3a(T=10, N=1)
NETS = {name: Recurrent(cell, 3) for name, cell in CORE.items()} | {
    "flax": Recurrent(nnx.OptimizedLSTMCell, 3),
    "lstm97": Net97(2, 1, "hidden", init_range=1.0, truncate=False),
}
by_net = pytest.mark.parametrize("net", NETS.values(), ids=NETS)


def drawn(net, count=2):
    """Random weights of networks and a sequence for each, stacked."""
    draw = np.random.default_rng(0)
    shapes = nnx.state(nnx.eval_shape(lambda: net.build(1, 1, nnx.Rngs(0))))

    def random(leaf):
        return draw.normal(0, 0.5, (count, *leaf.shape)).astype(np.float32)

    return jax.tree.map(random, shapes), drawing.draw(TASK, count)


def at(tree, index):
    return jax.tree.map(lambda leaf: leaf[index], tree)


def double(tree):
    return jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), tree)


def test_a_complex_state_flows_as_its_real_and_imaginary_parts():
    """Through s = d s + B x, C: d loss / d s at distance k is |d|^k times that at the end."""
    net = Recurrent(ComplexLRU, 3)
    network = net.build(1, 1, nnx.Rngs(0))
    graph, params = nnx.split(network)
    sequences = drawing.draw(TASK, 1)
    stacked = jax.tree.map(lambda leaf: leaf[None], params)
    (norms,) = flow.error_flow(graph, BINARY.loss, stacked, sequences).values()
    length = int(sequences.length[0])
    seen = flow.passage(graph, params, at(sequences, 0))
    real, imaginary = (seen.states[f"carry, {part}"] for part in ("real", "imaginary"))
    cell = network.cell
    decay = np.exp(-np.exp(double(cell.nu[...])) + 1j * double(cell.theta[...]))
    B, s = np.asarray(cell.B[...], complex), np.zeros(3, complex)
    for x, re, im in zip(double(sequences.inputs[0, :length]), real, imaginary, strict=True):
        s = decay * s + x @ B
        np.testing.assert_allclose(re + 1j * im, s, rtol=1e-6, atol=1e-9)
    C, kernel = np.asarray(cell.C[...], complex), double(network.readout.kernel[...])
    y = np.tanh((s @ C).real + double(cell.D(sequences.inputs[0, length - 1])))
    net_input = float((y @ kernel + double(network.readout.bias[...]))[0])
    slope = 1 / (1 + np.exp(-net_input)) - float(sequences.targets[0, length - 1, 0])
    at_the_end = C @ (slope * kernel[:, 0] * (1 - y**2))
    expected = [np.linalg.norm(at_the_end * decay**k) for k in range(1, length + 1)]
    np.testing.assert_allclose(norms[0, :length], expected, rtol=1e-5)


def test_norms_of_the_vanilla_net_are_products_of_jacobians():
    params, sequences = drawn(NETS["rnn"])
    found = flow.error_flow(flow.structure(NETS["rnn"], TASK), BINARY.loss, params, sequences)
    for trial in range(2):
        w = double(nnx.to_pure_dict(at(params, trial)))
        cell, readout = w["cell"], w["readout"]
        length = int(sequences.length[trial])
        h = [np.zeros(3)]
        for x in double(sequences.inputs[trial, :length]):
            h.append(np.tanh(x @ cell["W_xh"] + h[-1] @ cell["W_hh"] + cell["b"]))
        p = 1 / (1 + np.exp(-(h[-1] @ readout["kernel"] + readout["bias"])))
        error = readout["kernel"] @ (p - double(sequences.targets[trial, length - 1]))
        product, norms = np.eye(3), []
        for state in h[:0:-1]:
            product = cell["W_hh"] @ np.diag(1 - state**2) @ product
            norms.append(np.linalg.norm(product @ error))
        np.testing.assert_allclose(found["h"][trial, :length], norms, rtol=1e-10)
        assert np.isnan(found["h"][trial, length:]).all()


@by_net
def test_norms_are_those_of_differences(net):
    """The error of a plain loop that starts at a state, when that state moves a little."""
    params, sequences = drawn(net, 1)
    graph = flow.structure(net, TASK)
    found = flow.error_flow(graph, squared_error, params, sequences)
    length = int(sequences.length[0])
    with jax.enable_x64(True):
        network = nnx.merge(graph, jax.tree.map(jnp.asarray, double(at(params, 0))))
        inputs = double(sequences.inputs[0, :length])
        carry = jax.tree.map(
            lambda leaf: jnp.asarray(leaf, jnp.float64),
            network.cell.initialize_carry((1,), nnx.Rngs(0)),
        )
        for x in inputs[: length - 4]:
            carry, _ = network.cell(carry, x)

        def error(flat):
            state, y = unravel(flat), None
            for x in inputs[length - 4 :]:
                state, y = network.cell(state, x)
            return squared_error(network.readout(y), sequences.targets[0, length - 1])

        flat, unravel = jax.flatten_util.ravel_pytree(carry)
        moves = 1e-6 * np.eye(len(flat))
        ahead, behind = (jax.jit(jax.vmap(error))(flat + sign * moves) for sign in (1, -1))
        gradient = (ahead - behind) / 2e-6
    whole = flow.whole(found)[0]
    np.testing.assert_allclose(whole[3], np.linalg.norm(gradient), rtol=1e-6)


def test_the_error_carousel_of_1997_keeps_an_error_exactly():
    net = replace(NETS["lstm97"], truncate=True)
    params, sequences = drawn(net)
    found = flow.error_flow(flow.structure(net, TASK), squared_error, params, sequences)
    for s, u in zip(found["s"], found["u"], strict=True):
        carried = s[~np.isnan(s)]
        assert len(carried) >= TASK.T
        assert set(carried) == {carried[0]} != {0.0}  # d s_T / d s_t = 1
        assert set(u[~np.isnan(u)]) == {0.0}


def test_the_full_gradient_of_1997_is_another_one():
    params, sequences = drawn(NETS["lstm97"])
    found = flow.error_flow(flow.structure(NETS["lstm97"], TASK), squared_error, params, sequences)
    assert np.ptp(found["s"][0, :10]) > 1e-6
    assert found["u"][0, :10].min() > 0


@by_net
def test_a_passage_is_what_the_network_does(net):
    params, sequences = drawn(net, 1)
    graph, sequence = flow.structure(net, TASK), at(sequences, 0)
    network = nnx.merge(graph, at(params, 0))
    seen = flow.passage(graph, at(params, 0), sequence)
    carry = network.cell.initialize_carry((1,), nnx.Rngs(0))
    for step, x in enumerate(sequence.inputs[: int(sequence.length)]):
        gates = network.cell.gates(carry, x) if hasattr(network.cell, "gates") else {}
        carry, _ = network.cell(carry, x)
        for found, expected in (
            (list(seen.states.values()), jax.tree.leaves(carry)),
            ([seen.gates[name] for name in gates], list(gates.values())),
        ):
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_allclose(one[step], other, atol=1e-5)
    assert all(len(leaf) == sequence.length for leaf in jax.tree.leaves(seen))


def test_states_have_names():
    names = {"rnn": {"h"}, "lstm": {"c", "h"}, "flax": {"carry[0]", "carry[1]"}}
    for name, expected in names.items():
        params, sequences = drawn(NETS[name], 1)
        seen = flow.passage(flow.structure(NETS[name], TASK), at(params, 0), at(sequences, 0))
        assert set(seen.states) == expected


class Half(RNN):
    """Keeps half of its state, whatever comes."""

    def __call__(self, carry, x):
        h = 0.5 * carry + x @ self.W_xh
        return h, h


def test_a_thousand_halves_are_no_zero():
    net, T = Recurrent(Half, 2), 1000
    params, _ = drawn(net, 1)
    sequence = Sequence(
        np.zeros((T, 1), np.float32), np.ones((T, 1), np.float32), np.ones(T, bool), np.int32(T)
    )
    stacked = jax.tree.map(lambda leaf: leaf[None], sequence)
    found = flow.error_flow(flow.structure(net, TASK), BINARY.loss, params, stacked)["h"][0]
    np.testing.assert_allclose(np.log2(found[:-1] / found[1:]), 1, rtol=1e-9)
    assert 0 < found[-1] < 1e-299


def test_initial_networks_are_those_of_trials():
    setup = setups(0, range(4), [0.01] * 4)
    theirs = program(RECIPE).start(setup).params
    mine = flow_study.initial(RECIPE.model, RECIPE.task.n_in, RECIPE.task.n_out)(setup.key, {})
    for one, other in zip(jax.tree.leaves(mine), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)  # a quick compile


def test_the_net_of_2a_and_2b_has_no_recurrent_cell():
    with pytest.raises(UsageError, match="LagNetwork97 is no recurrent cell"):
        flow.structure(LagNet97(), TASK)
