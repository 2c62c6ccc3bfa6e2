"""What every cell of a family is tested for, against an oracle in NumPy."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.network import Recurrent
from tests.support import unrolling

N_IN, H, N_OUT, T = 3, 5, 2, 12
LENGTHS = np.array([T, 7, 1])
SIZES = [(1, 2), (2, 3), (5, 12), (39, 8)]  # n_in, H

close = functools.partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-12)


@dataclass(frozen=True)
class Case:
    """A cell and its oracle.

    Attributes:
        cell: the class.
        blocks: weight of the cell -> weights of the equations side by side in its columns.
        step: one step in NumPy, (w, carry, x) -> (carry, y, memory).
        back: its backward pass, (w, G, memory, dcarry, dy) -> (dcarry, dx); adds to G.
        carried: sizes of the vectors that the oracle carries.
        weights: number of weights, as the docstring has it.
        formula: the same as a function of (n_in, H).
        golden: the numbers for `SIZES`.
        kept: share of the state that is kept at the start, from the weights of the equations.
    """

    cell: type
    blocks: dict[str, list]
    step: Callable
    back: Callable
    carried: tuple[int, ...]
    weights: str
    formula: Callable[[int, int], int]
    golden: list[int]
    kept: Callable | None = None


def over(cases):
    """Runs a test over cases."""
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.cell.__name__)


def named(case, weights):
    """Weights (or gradients) of a cell under the names of the equations, as `[to, from]`."""
    found = {}
    for attribute, names in case.blocks.items():
        weight = np.asarray(weights[attribute], np.float64)
        rows = names if isinstance(names[0], list) else [names]
        for row, part in zip(rows, np.array_split(weight, len(rows)), strict=True):
            blocks = np.array_split(part, len(row), -1)
            found |= {name: block.T for name, block in zip(row, blocks, strict=True)}
    return found


@functools.cache
def build(cell):
    with jax.enable_x64(False):
        return nnx.split(Recurrent(cell, H).build(N_IN, N_OUT, nnx.Rngs(0)))


def network64(case):
    """Graph and float64 weights of a network with no weight at zero, inputs of a batch, more."""
    graph, weights = build(case.cell)
    rng = np.random.default_rng(0)
    disturbed = jax.tree.map(lambda a: np.asarray(a) + 0.3 * rng.standard_normal(a.shape), weights)
    xs = rng.standard_normal((len(LENGTHS), T, N_IN))
    return graph, jax.tree.map(jnp.asarray, disturbed), xs, rng


def pure(weights):
    return nnx.to_pure_dict(weights)


def unroll(case, w, xs):
    """Outputs of all steps, and what their backward passes need."""
    return unrolling.unroll(case.step, w, zero(case), xs)


def bptt(case, w, memories, errors):
    """Gradients of all weights and of the inputs, from the errors on the outputs of all steps."""
    return unrolling.bptt(case.back, w, memories, errors, zero(case))


def zero(case):
    return tuple(np.zeros(n) for n in case.carried)


def check_against_numpy(case):
    """Outputs and gradients of a batch are those of its sequences, one by one, in NumPy."""
    graph, weights, xs, rng = network64(case)
    errors = rng.standard_normal((len(LENGTHS), T, N_OUT))
    errors *= (np.arange(T) < LENGTHS[:, None])[..., None]

    @jax.jit
    @functools.partial(jax.grad, argnums=(0, 1), has_aux=True)
    def run(weights, xs):
        outputs = nnx.merge(graph, weights)(xs, LENGTHS)
        return jnp.sum(outputs * errors), outputs

    (dweights, dxs), outputs = run(weights, xs)
    assert outputs.dtype == np.float64

    w = named(case, pure(weights)["cell"])
    readout = {name: np.asarray(value) for name, value in pure(weights)["readout"].items()}
    G = {name: np.zeros_like(value) for name, value in w.items()}
    for k, length in enumerate(LENGTHS):
        ys, memories = unroll(case, w, xs[k, :length])
        close(outputs[k, :length], ys @ readout["kernel"] + readout["bias"])
        added, dinputs = bptt(case, w, memories, errors[k, :length] @ readout["kernel"].T)
        G = {name: G[name] + gradient for name, gradient in added.items()}
        close(dxs[k, :length], dinputs)
        np.testing.assert_array_equal(dxs[k, length:], 0)

    got = named(case, pure(dweights)["cell"])
    assert got.keys() == G.keys()
    for key, gradient in G.items():
        assert np.any(gradient != 0)
        close(got[key], gradient, err_msg=key)


def check_backward_by_hand(case):
    """Gradients written by hand are those of finite differences."""
    _, weights, (xs, *_), rng = network64(case)
    w, errors = named(case, pure(weights)["cell"]), rng.standard_normal((T, H))
    G, dxs = bptt(case, w, unroll(case, w, xs)[1], errors)

    def slope(changed):
        up, down = (np.sum(unroll(case, *changed(e))[0] * errors) for e in (1e-5, -1e-5))
        return pytest.approx((up - down) / 2e-5, rel=1e-6, abs=1e-7)

    for key in w:
        direction = rng.standard_normal(w[key].shape)
        assert np.sum(G[key] * direction) == slope(
            lambda e, key=key, direction=direction: ({**w, key: w[key] + e * direction}, xs)
        )
    direction = rng.standard_normal(xs.shape)
    assert np.sum(dxs * direction) == slope(lambda e: (w, xs + e * direction))


def check_leading_axes(case):
    """A step takes any leading axes, from any carry, and treats what they hold alike."""
    cell = case.cell(N_IN, H, rngs=nnx.Rngs(3))
    xs = jax.random.normal(jax.random.key(4), (2, 4, N_IN))
    carry = jax.tree.map(lambda a: a + 0.5, cell.initialize_carry(xs.shape))
    together = cell(carry, xs)
    apart = jax.vmap(jax.vmap(cell))(carry, xs)
    near = functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6)
    jax.tree.map(near, together, apart)
    assert together[1].shape == (2, 4, H)
    assert len(jax.tree.leaves(carry)) == len(cell.carried)


def check_weights(case):
    """The weights are as many as the docstring says, and nothing else is kept."""
    assert f"Weights: {case.weights}." in case.cell.__doc__
    for (n_in, hidden), count in zip(SIZES, case.golden, strict=True):
        state = jax.eval_shape(
            lambda n=n_in, h=hidden: nnx.state(case.cell(n, h, rngs=nnx.Rngs(0)))
        )
        size = sum(leaf.size for leaf in jax.tree.leaves(state))
        assert size == case.formula(n_in, hidden) == count
    module = case.cell(N_IN, H, rngs=nnx.Rngs(0))
    assert jax.tree.leaves(nnx.state(module, nnx.Not(nnx.Param))) == []
    assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(nnx.state(module)))


def check_summary(case):
    """The docstring starts with one sentence on one line."""
    first, second, *_ = case.cell.__doc__.splitlines()
    assert first.endswith((".", ".)"))
    assert second == ""


def check_memory(case, memory):
    """At the start, the state is kept for as many steps as asked for."""
    cell = case.cell(N_IN, 50, memory=memory, rngs=nnx.Rngs(0))
    steps = 1 / (1 - case.kept(named(case, pure(nnx.state(cell)))))
    low, high = np.broadcast_to(memory, 2)
    assert steps.min() > low * (1 - 1e-4)
    assert steps.max() < high * (1 + 1e-3)
    error = (high - low) / np.sqrt(12 * len(steps))  # standard error of a mean of uniform draws
    np.testing.assert_allclose(steps.mean(), (low + high) / 2, rtol=1e-3, atol=5 * error)


def check_long_run(case, values):
    """Weights may be drawn, with traced settings, inside a program that learns 300 steps.

    Args:
        case: the cell.
        values: of its settings.
    """
    xs, lengths = jax.random.normal(jax.random.key(1), (3, 300, N_IN)), jnp.array([300, 40, 1])

    @jax.jit
    def run(values):
        drawn = nnx.state(case.cell(N_IN, H, **values, rngs=nnx.Rngs(0)))
        graph, weights = build(case.cell)
        pairs = {**pure(weights), "cell": pure(drawn)}
        nnx.replace_by_pure_dict(weights, pairs)

        def loss(weights):
            return jnp.mean(nnx.merge(graph, weights).last(xs, lengths) ** 2)

        return drawn, jax.grad(loss)(weights)

    drawn, gradient = run({name: jnp.asarray(value) for name, value in values.items()})
    for leaf in jax.tree.leaves(gradient):
        assert np.all(np.isfinite(leaf))
        assert np.any(leaf != 0)
    expected = nnx.state(case.cell(N_IN, H, **values, rngs=nnx.Rngs(0)))
    near = functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6)
    jax.tree.map(near, pure(drawn), pure(expected))
