"""What every cell of `tests.models.cell_cases` must do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.network import Network, Recurrent
from tests.models.cell_cases import CASES, T, close, named, network64, zero
from tests.models.family import N_IN, N_OUT, H, build, pure
from tests.support import unrolling

all_cells = pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.cell.__name__)
CONSTANTS = {"epsilon", "dt"}
SIZES = [(1, 1), (2, 3), (8, 16), (100, 7)]


@pytest.fixture
def float64():
    with jax.enable_x64(True):
        yield


@pytest.mark.usefixtures("float64")
@all_cells
def test_outputs_and_gradients_match_numpy(case):
    graph, weights, rng = network64(case.cell)
    xs = rng.standard_normal((T, N_IN))
    w, readout = named(case, pure(weights)["cell"]), np.asarray(pure(weights)["readout"]["kernel"])

    @jax.jit
    def run(weights, xs, length, errors):
        def loss(weights, xs):
            outputs = nnx.merge(graph, weights)(xs, length)
            return jnp.sum(outputs * errors), outputs

        return jax.grad(loss, (0, 1), has_aux=True)(weights, xs)

    for length in (T, 5, 1):
        errors = rng.standard_normal((T, N_OUT)) * (np.arange(T) < length)[:, None]
        (dweights, dxs), outputs = run(weights, xs, length, errors)
        assert outputs.dtype == np.float64

        ys, memories = unrolling.unroll(case.oracle[0], w, zero(case), xs[:length])
        close(outputs[:length], ys @ readout + np.asarray(pure(weights)["readout"]["bias"]))

        slopes = errors[:length] @ readout.T
        G, dinputs = unrolling.bptt(case.oracle[1], w, memories, slopes, zero(case))
        got = named(case, pure(dweights)["cell"])
        assert got.keys() == G.keys()
        for key, gradient in G.items():
            close(got[key], gradient, err_msg=key)
        close(dxs[:length], dinputs)
        np.testing.assert_array_equal(dxs[length:], 0)


@all_cells
def test_hand_written_gradients_match_finite_differences(case):
    with jax.enable_x64(True):
        _, weights, rng = network64(case.cell)
        w = named(case, pure(weights)["cell"])
    xs, errors = rng.standard_normal((T, N_IN)), rng.standard_normal((T, H))

    def loss(w, xs):
        ys, memories = unrolling.unroll(case.oracle[0], w, zero(case), xs)
        return np.sum(ys * errors), memories

    def along(change):
        return (loss(*change(1e-5))[0] - loss(*change(-1e-5))[0]) / 2e-5

    G, dxs = unrolling.bptt(case.oracle[1], w, loss(w, xs)[1], errors, zero(case))
    for key in w.keys() - CONSTANTS:
        u = rng.standard_normal(w[key].shape)
        slope = along(lambda e, key=key, u=u: ({**w, key: w[key] + e * u}, xs))
        assert slope == pytest.approx(np.sum(G[key] * u), rel=1e-6, abs=1e-7)
    u = rng.standard_normal(xs.shape)
    assert along(lambda e: (w, xs + e * u)) == pytest.approx(np.sum(dxs * u), rel=1e-6, abs=1e-7)


@all_cells
def test_no_gradient_reaches_step_sizes_and_every_other_weight_has_one(case):
    graph, weights = build(case.cell)
    xs = jax.random.normal(jax.random.key(2), (T, N_IN))
    slopes = jax.grad(lambda weights: jnp.sum(nnx.merge(graph, weights)(xs, T) ** 2))(weights)
    for name, slope in pure(slopes)["cell"].items():
        assert np.any(slope != 0) == (name not in CONSTANTS), name


@pytest.mark.usefixtures("float64")
@all_cells
def test_a_batch_in_one_call_is_its_sequences_one_by_one(case):
    assert case.cell.batched
    graph, weights, rng = network64(case.cell)
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


@all_cells
def test_padding_changes_neither_outputs_nor_gradients(case):
    graph, weights = build(case.cell)
    xs = jax.random.normal(jax.random.key(2), (T, N_IN))

    @jax.jit
    @jax.value_and_grad
    def run(weights, xs):
        return jnp.sum(nnx.merge(graph, weights).last(xs, jnp.int32(7)) ** 2)

    jax.tree.map(np.testing.assert_array_equal, run(weights, xs), run(weights, xs.at[7:].set(1e3)))


@all_cells
def test_carry_is_zero_without_keys_and_drawn_where_asked(case):
    module = case.cell(N_IN, H, rngs=nnx.Rngs(0))
    start = jax.tree.leaves(module.initialize_carry((4, N_IN)))
    assert len(start) == len(module.carried) == case.carries
    for leaf in start:
        np.testing.assert_array_equal(leaf, np.zeros((4, H)))
    drawn = module.initialize_carry((4, N_IN), nnx.Rngs(1), nnx.initializers.normal())
    leaves = jax.tree.leaves(drawn)
    assert all(leaf.shape == (4, H) and np.all(leaf != 0) for leaf in leaves)
    assert len({float(leaf[0, 0]) for leaf in leaves}) == len(leaves)


@all_cells
def test_runs_in_the_rnn_layer_of_flax(case):
    module = case.cell(N_IN, H, rngs=nnx.Rngs(0))
    xs = jax.random.normal(jax.random.key(2), (2, T, N_IN))
    expected = Network(module, lambda y: y)(xs, np.full(2, T))
    np.testing.assert_allclose(nnx.RNN(module)(xs, rngs=nnx.Rngs(0)), expected, atol=1e-6)


@all_cells
def test_gates_are_what_the_step_computes_with(case):
    module = case.cell(N_IN, H, rngs=nnx.Rngs(0))
    if not hasattr(module, "gates"):
        assert case.cell.__name__ in {"LRU", "AntisymmetricRNN", "CoRNN"}
        return
    x, start = jax.random.normal(jax.random.key(2), (4, N_IN)), module.initialize_carry((4, N_IN))
    gates = module.gates(start, x)
    assert all(gate.shape == (4, H) for gate in gates.values())
    assert all(np.all(gates[name] > 0) and np.all(gates[name] < 1) for name in gates.keys() & "rzf")


@all_cells
def test_number_of_weights(case):
    text, formula = case.formula
    assert f"Weights: {text}" in case.cell.__doc__
    for (n_in, hidden), count in zip(SIZES, case.counts, strict=True):

        def weights(n_in=n_in, hidden=hidden):
            return nnx.state(Recurrent(case.cell, hidden).build(n_in, 2, nnx.Rngs(0)))

        size = sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(weights)))
        assert size - (2 * hidden + 2) == formula(n_in, hidden) == count


@all_cells
def test_initial_weights(case):
    n_in, hidden = 40, 60
    weights = pure(nnx.state(case.cell(n_in, hidden, rngs=nnx.Rngs(0))))
    assert all(leaf.dtype == np.float32 for leaf in weights.values())
    for name, block in named(case, weights).items():
        if name.startswith("b_") and block.ndim == 1:
            np.testing.assert_array_equal(block, np.zeros(hidden))
        elif block.shape == (hidden, hidden) and not name.startswith("c_"):
            np.testing.assert_allclose(block @ block.T, np.eye(hidden), atol=1e-5)
        elif block.ndim == 2:
            complex_input = name in {"b_re", "b_im"}
            fan_in = block.shape[1] * (2 if complex_input else 1)
            assert np.var(block) * fan_in == pytest.approx(1, rel=0.15)
            assert abs(np.mean(block)) < 0.02


@all_cells
def test_weights_depend_on_the_key_alone(case):
    def weights(seed):
        return pure(nnx.state(case.cell(N_IN, H, memory=(3.0, 30.0), rngs=nnx.Rngs(seed))))

    once, other = weights(7), weights(8)
    jax.tree.map(np.testing.assert_array_equal, once, weights(7))
    assert all(np.any(once[name] != other[name]) for name in once if name != "b_hh" and name != "b")
    with jax.enable_x64(True):
        jax.tree.map(np.testing.assert_array_equal, once, weights(7))


@all_cells
def test_module_keeps_weights_and_nothing_else(case):
    module = case.cell(N_IN, H, rngs=nnx.Rngs(0))
    assert jax.tree.leaves(nnx.state(module, nnx.Not(nnx.Param))) == []


@all_cells
@pytest.mark.parametrize("memory", [20.0, (20.0, 20.0), (2.0, 400.0)])
def test_units_start_with_the_memory_asked_for(case, memory):
    assert case.cell.settings == ("memory",)
    module = case.cell(N_IN, 100, memory=memory, rngs=nnx.Rngs(0))
    steps = case.steps(named(case, pure(nnx.state(module))))
    low, high = np.broadcast_to(memory, 2)
    assert steps.min() > low * (1 - 1e-3)
    assert steps.max() < high * (1 + 1e-3)
    np.testing.assert_allclose(steps.mean(), (low + high) / 2, rtol=0.2)
    assert (np.ptp(steps) > 0.5 * (high - low)) == (high > low)


@all_cells
def test_a_setting_may_be_traced(case):
    @jax.jit
    def weights(memory):
        return nnx.state(case.cell(N_IN, H, memory=memory, rngs=nnx.Rngs(0)))

    for memory in (jnp.float32(20.0), jnp.array([2.0, 50.0])):
        eager = nnx.state(case.cell(N_IN, H, memory=memory, rngs=nnx.Rngs(0)))
        jax.tree.map(
            lambda mine, theirs: np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6),
            pure(weights(memory)),
            pure(eager),
        )
