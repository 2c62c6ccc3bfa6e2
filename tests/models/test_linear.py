import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models import parallel
from models.gru_variants import MinGRU
from models.lru import LRU
from models.network import Network
from tests.models.case import N_IN, H, close, made, network64

T = 11
LENGTHS = np.array([[T, 7, 1], [3, T, 5]])
ALIVE = np.arange(T)[:, None, None] < LENGTHS


def drawn(*shape, kind=float):
    rng = np.random.default_rng(0)
    real = rng.standard_normal(shape)
    return real + 1j * rng.standard_normal(shape) if kind is complex else real


def looped(decay, push):
    state, states = np.zeros_like(push[0]), []
    for a, b in zip(decay, push, strict=True):
        state = a * state + b
        states.append(state)
    return np.stack(states)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("steps", [1, 2, 7, 40])
@pytest.mark.parametrize("how", ["linear_recurrence", "one_by_one", "all_at_once"])
def test_recurrence_is_the_loop(how, steps, kind):
    decay, push = drawn(2, steps, 3, kind=kind)
    close(jax.jit(getattr(parallel, how))(decay, push), looped(decay, push), atol=1e-12)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("kind", [float, complex])
def test_hand_written_way_back_is_that_of_the_scan(kind):
    decay, push = jnp.asarray(drawn(2, 9, 3, kind=kind))
    slope = drawn(9, 3, kind=kind)

    def back(how):
        return jax.jit(lambda *args: jax.vjp(how, *args)[1](slope))(decay, push)

    expected = back(parallel.all_at_once)
    for how in (parallel.linear_recurrence, parallel.one_by_one):
        for mine, theirs in zip(back(how), expected, strict=True):
            close(mine, theirs)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("scan", ["one_by_one", "all_at_once"])
@pytest.mark.parametrize("cell", [LRU, MinGRU])
def test_unrolled_is_step_by_step_forward_and_backward(cell, scan, monkeypatch):
    how = getattr(parallel, scan)
    monkeypatch.setattr("jax.lax.platform_dependent", lambda *args, **_: how(*args))
    graph, weights, _ = network64(cell)
    xs = jnp.asarray(drawn(2, 3, T, N_IN))
    errors = drawn(2, 3, T, H) * np.moveaxis(ALIVE, 0, -1)[..., None]

    def stepwise(network, xs):
        return Network(network.cell, lambda y: y)(xs, LENGTHS)

    def unrolled(network, xs):
        return jnp.moveaxis(network.cell.unrolled(jnp.moveaxis(xs, -2, 0), ALIVE), 0, -2)

    def run(answers):
        def loss(weights, xs):
            ys = answers(nnx.merge(graph, weights), xs) * (errors != 0)
            return jnp.sum(ys * errors), ys

        return jax.jit(jax.grad(loss, (0, 1), has_aux=True))(weights, xs)

    jax.tree.map(functools.partial(close, atol=1e-12), run(unrolled), run(stepwise))


@pytest.mark.parametrize("cell", [LRU, MinGRU])
def test_unrolled_holds_the_state_after_a_sequence(cell):
    module = made(cell)
    xs = jnp.asarray(drawn(T, N_IN), jnp.float32).at[5:].set(0)
    ys = np.asarray(module.unrolled(xs, np.arange(T) < 5))
    np.testing.assert_allclose(ys[5:], np.broadcast_to(ys[5], ys[5:].shape), rtol=1e-6)
    if cell is MinGRU:
        np.testing.assert_allclose(ys[5:], np.broadcast_to(ys[4], ys[5:].shape), rtol=1e-6)


def test_the_lru_starts_uniformly_on_the_unit_disk():
    cell = LRU(1, 1000, rngs=nnx.Rngs(0))
    nu, theta, gamma = (np.asarray(a[...], float) for a in (cell.nu, cell.theta, cell.gamma))
    squared = np.exp(-2 * np.exp(nu))
    grid = np.linspace(0.05, 0.95, 10)
    np.testing.assert_allclose(np.quantile(squared, grid), grid, atol=0.05)
    np.testing.assert_allclose(np.quantile(np.exp(theta) / (2 * np.pi), grid), grid, atol=0.05)
    np.testing.assert_allclose(np.exp(2 * gamma), 1 - squared, atol=1e-5)
