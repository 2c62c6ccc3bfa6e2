"""What holds for every cell; what is special to one is in the file of its family."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.extend.core import jaxpr_as_fun

from benchmarks.suites import cells
from models.cell import memory_steps
from models.network import Recurrent
from tests.models.case import (
    N_IN,
    N_OUT,
    SIZES,
    WIDE,
    WIDE_IN,
    H,
    T,
    build,
    close,
    disturbed,
    made,
    named,
    network64,
    over,
    pure,
    uniform,
)
from tests.models.cases import CASES

LENGTHS = np.array([[T, 7, 1], [3, T, 5]])
SETTINGS = {"scale": 0.9, "memory": (5.0, 80.0)}

all_cells = over(CASES)
near = functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6)


def test_every_cell_of_the_suites_has_one_case():
    single = {name: cell for name, cell in cells.EVERY.items() if name not in cells.LAYERED}
    assert {case.cell for case in CASES} == set(single.values())
    assert len(CASES) == len(single)
    assert {stack.cell for stack in cells.LAYERED.values()} <= set(single.values())


def padded(rng, lengths):
    """Inputs, and which steps count; the others hold what would show if it counted."""
    alive = np.arange(T) < lengths[..., None]
    return np.where(alive[..., None], rng.standard_normal((*alive.shape, N_IN)), 1e3), alive


def in_numpy(case, weights, xs, lengths, errors):
    """Outputs, gradients of all weights and of the inputs, sequence by sequence."""
    w, (kernel, bias) = (
        named(case, weights["cell"]),
        map(weights["readout"].get, ("kernel", "bias")),
    )
    kernel, bias = np.asarray(kernel), np.asarray(bias)
    outputs, dxs = np.zeros(errors.shape), np.zeros(xs.shape)
    G = {name: np.zeros_like(a) for name, a in (w | {"kernel": kernel, "bias": bias}).items()}
    for k in np.ndindex(lengths.shape):
        now = (*k, slice(lengths[k]))
        ys, memories = case.unroll(w, xs[now])
        outputs[now] = ys @ kernel + bias
        added, dxs[now] = case.bptt(w, memories, errors[now] @ kernel.T)
        added |= {"kernel": ys.T @ errors[now], "bias": errors[now].sum(0)}
        G = {name: G[name] + added[name] for name in G}
    return outputs, G, dxs


def check_gradients(case, weights, expected):
    got = named(case, weights["cell"]) | weights["readout"]
    assert got.keys() == expected.keys()
    for name, gradient in expected.items():
        close(got[name], gradient, err_msg=name)


@pytest.mark.usefixtures("float64")
@all_cells
def test_a_batch_is_its_sequences_one_by_one_in_numpy(case):
    """Outputs and gradients, whichever leading axes there are, whatever is in the padding."""
    assert case.cell.batched
    graph, weights, rng = network64(case.cell)
    xs, alive = padded(rng, LENGTHS)
    errors = rng.standard_normal((*LENGTHS.shape, T, N_OUT)) * alive[..., None]

    @jax.jit
    @functools.partial(jax.grad, argnums=(0, 1), has_aux=True)
    def run(weights, xs):
        outputs = nnx.merge(graph, weights)(xs, LENGTHS)
        return jnp.sum(outputs * errors), outputs

    (dweights, dxs), outputs = run(weights, xs)
    expected, G, dinputs = in_numpy(case, pure(weights), xs, LENGTHS, errors)
    assert outputs.dtype == np.float64
    close(outputs * alive[..., None], expected)
    check_gradients(case, pure(dweights), G)
    close(dxs, dinputs)
    np.testing.assert_array_equal(dxs[~alive], 0)
    for name, gradient in G.items():
        assert np.any(gradient != 0) == (name not in case.constants), name


@pytest.mark.usefixtures("float64")
@all_cells
def test_stacked_weights_under_vmap_are_nets_one_by_one_in_numpy(case, monkeypatch):
    """Last outputs and gradients of nets with a sequence each, no activation stored."""
    monkeypatch.setattr("models.network.LONG", 0)
    graph, weights, rng = network64(case.cell)
    nets, lengths = [weights, disturbed(weights, rng), disturbed(weights, rng)], LENGTHS[0]
    xs, _ = padded(rng, lengths)
    errors = rng.standard_normal((3, N_OUT))

    @jax.jit
    @jax.vmap
    @functools.partial(jax.grad, has_aux=True)
    def run(weights, x, length, error):
        last = nnx.merge(graph, weights).last(x, length)
        return jnp.sum(last * error), last

    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *nets)
    slopes, last = run(stacked, xs, lengths, errors)
    for k, net in enumerate(nets):
        now = slice(k, k + 1)
        at_end = np.zeros((1, T, N_OUT))
        at_end[0, lengths[k] - 1] = errors[k]
        outputs, G, _ = in_numpy(case, pure(net), xs[now], lengths[now], at_end)
        close(last[k], outputs[0, lengths[k] - 1])
        check_gradients(case, pure(jax.tree.map(lambda a, k=k: a[k], slopes)), G)


@pytest.mark.usefixtures("float64")
@all_cells
def test_hand_written_gradients_match_finite_differences(case):
    _, weights, rng = network64(case.cell)
    w, xs, errors = (
        named(case, pure(weights)["cell"]),
        rng.standard_normal((T, N_IN)),
        rng.standard_normal((T, H)),
    )
    G, dxs = case.bptt(w, case.unroll(w, xs)[1], errors)

    def slope(changed):
        up, down = (np.sum(case.unroll(*changed(e))[0] * errors) for e in (1e-5, -1e-5))
        return pytest.approx((up - down) / 2e-5, rel=1e-6, abs=1e-7)

    for key in w.keys() - set(case.constants):
        u = rng.standard_normal(w[key].shape)
        assert np.sum(G[key] * u) == slope(lambda e, key=key, u=u: (w | {key: w[key] + e * u}, xs))
    u = rng.standard_normal(xs.shape)
    assert np.sum(dxs * u) == slope(lambda e: (w, xs + e * u))


@pytest.mark.usefixtures("float64")
@all_cells
def test_gates_are_those_of_the_equations(case):
    assert hasattr(case.cell, "gates") == (case.gates is not None)
    if case.gates is None:
        return
    graph, weights, rng = network64(case.cell)
    cell, w = nnx.merge(graph, weights).cell, named(case, pure(weights)["cell"])
    xs = rng.standard_normal((2, 4, N_IN))
    carry, _ = cell(cell.initialize_carry(xs[0].shape), xs[0])
    gates = cell.gates(carry, xs[1])
    for k in range(4):
        expected = case.gates(w, case.unroll(w, xs[:, k])[1][1])
        assert gates.keys() == expected.keys()
        for name, gate in expected.items():
            close(gates[name][k], gate, err_msg=name)


@pytest.mark.usefixtures("float64")
@all_cells
def test_runs_in_the_rnn_layer_of_flax(case):
    graph, weights, rng = network64(case.cell)
    cell, w = nnx.merge(graph, weights).cell, named(case, pure(weights)["cell"])
    xs = rng.standard_normal((2, T, N_IN))
    expected = np.stack([case.unroll(w, x)[0] for x in xs])
    close(nnx.RNN(cell)(xs, rngs=nnx.Rngs(0)), expected)


@all_cells
def test_carry_is_zero_without_keys_and_drawn_where_asked(case):
    module = made(case.cell)
    assert len(case.cell.carried) == len(case.carried)
    start = jax.tree.leaves(module.initialize_carry((4, N_IN)))
    drawn = jax.tree.leaves(
        module.initialize_carry((4, N_IN), nnx.Rngs(1), nnx.initializers.normal())
    )
    shapes = [(4, n) for n in case.carried]
    assert [leaf.shape for leaf in start] == [leaf.shape for leaf in drawn] == shapes
    assert all(np.all(leaf == 0) for leaf in start)
    assert all(np.all(leaf != 0) for leaf in drawn)
    assert len({float(leaf[0, 0]) for leaf in drawn}) == len(drawn)


@all_cells
def test_the_docstring_is_right(case):
    first, second, *_ = case.cell.__doc__.splitlines()
    assert first.endswith((".", ".)"))
    assert second == ""
    text, formula, counts = case.weights
    assert any(f"Weights: {text}{end}" in case.cell.__doc__ for end in (".", ", of them"))
    for (n_in, hidden), count in zip(SIZES, counts, strict=True):
        if count is None:
            continue

        def weights(n_in=n_in, hidden=hidden):
            return nnx.state(Recurrent(case.cell, hidden).build(n_in, N_OUT, nnx.Rngs(0)))

        size = sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(weights)))
        assert size - N_OUT * (hidden + 1) == formula(n_in, hidden) == count


@functools.cache
def wide(case, seed=0, memory=None):
    """Weights of a large cell; without memory, as its authors start it."""
    settings = {} if memory is None else {"memory": memory}
    module = case.cell(WIDE_IN, WIDE, **settings, rngs=nnx.Rngs(seed))
    assert jax.tree.leaves(nnx.state(module, nnx.Not(nnx.Param))) == []
    weights = pure(nnx.state(module))
    assert all(leaf.dtype == np.float32 for leaf in weights.values())
    return named(case, weights)


@all_cells
def test_initial_weights(case):
    weights, other = wide(case), wide(case, seed=1)
    for name, block in weights.items():
        start = case.start(name)
        if callable(start):
            start(block)
            drawn = block != 0
            assert np.any(drawn)
            assert np.all(block[drawn] != other[name][drawn])
        else:
            near(block, np.broadcast_to(start, block.shape), err_msg=name)
    corners = [block[0, 0] for block in weights.values() if block.ndim == 2]
    assert len(set(corners)) == len(corners)


@functools.cache
def with_settings(case, seed=0):
    settings = {name: SETTINGS[name] for name in case.cell.settings}
    return pure(nnx.state(case.cell(N_IN, H, **settings, rngs=nnx.Rngs(seed))))


@all_cells
def test_weights_depend_on_the_key_alone(case):
    expected = with_settings(case)
    for double in (False, True):
        with jax.enable_x64(double):
            again = with_settings.__wrapped__(case)
        jax.tree.map(np.testing.assert_array_equal, again, expected)
    if case.steps:
        steps, other = (case.steps(named(case, with_settings(case, seed))) for seed in (0, 1))
        assert np.all(steps != other)


@all_cells
def test_settings_may_be_traced(case):
    """Values as without tracing; run one by one, as what is traced takes long to compile."""

    def draw(settings):
        return pure(nnx.state(made(case.cell, **settings)))

    settings = {name: jnp.asarray(SETTINGS[name]) for name in case.cell.settings}
    traced, shape = jax.make_jaxpr(draw, return_shape=True)(settings)
    leaves = jaxpr_as_fun(traced)(*jax.tree.leaves(settings))
    jax.tree.map(near, jax.tree.unflatten(jax.tree.structure(shape), leaves), with_settings(case))
    for name in case.cell.settings:
        jax.eval_shape(draw, {name: 9.0})


@all_cells
def test_units_start_with_the_memory_asked_for(case):
    assert ("memory" in case.cell.settings) == (case.steps is not None)
    for memory in [20.0, (20.0, 20.0), (2.0, 400.0)] if case.steps else []:
        steps = case.steps(wide(case, memory=memory))
        low, high = np.broadcast_to(memory, 2)
        uniform(low, high)(steps)
        assert (np.ptp(steps) > 0.5 * (high - low)) == (high > low)


def test_a_range_of_memories_is_drawn_from_uniformly():
    uniform(2.0, 400.0)(np.asarray(memory_steps((2.0, 400.0), 5000, nnx.Rngs(0))))


def test_cells_in_which_nothing_keeps_the_state_have_no_memory_to_choose():
    without = {case.cell.__name__ for case in CASES if case.steps is None}
    of_one_matrix = {
        "RNN",
        "GaussianRNN",
        "SparseRNN",
        "LayerNormRNN",
        "IRNN",
        "OrthogonalRNN",
    }
    assert without == of_one_matrix | {"NoForgetLSTM", "NFG"}


@all_cells
def test_gradients_over_300_steps_are_finite(case):
    """As a cell starts with settings, everything learns but constants."""
    xs, lengths = jax.random.normal(jax.random.key(1), (3, 300, N_IN)), jnp.array([300, 40, 1])
    graph, weights = build(Recurrent(case.cell, H))
    started = jax.tree.map(lambda leaf: leaf, weights)
    nnx.replace_by_pure_dict(started, {**pure(weights), "cell": with_settings(case)})

    @jax.jit
    @jax.grad
    def slopes(weights):
        return jnp.mean(nnx.merge(graph, weights).last(xs, lengths) ** 2)

    found = pure(slopes(started))
    for name, slope in (found["cell"] | found["readout"]).items():
        assert np.all(np.isfinite(slope))
        assert np.any(slope != 0) == (name not in case.constants), name
