import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.rivals import cascade
from models.rivals.cascade import CascadeNet
from tests.support.rivals import f

M, N_IN, K, T = 3, 4, 2, 6


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield


def oracle(hidden, output, inputs):
    """Hidden units and net inputs of the outputs at each step, unit by unit."""
    before, units, nets = [0.0] * M, [], []
    for x in inputs:
        now = []
        for i in range(M):
            net = hidden[i, N_IN] + hidden[i, -1] * before[i]
            net += sum(hidden[i, j] * x[j] for j in range(N_IN))
            net += sum(hidden[i, N_IN + 1 + j] * now[j] for j in range(i))
            now.append(f(net) - 0.5)
        before = now
        units.append(now)
        nets.append([np.dot([*x, 1.0, *now], output[:, k]) for k in range(K)])
    return np.array(units), np.array(nets)


def drawn():
    draw = np.random.default_rng(0)
    hidden, output = draw.normal(size=(M, N_IN + M + 2)), draw.normal(size=(N_IN + 1 + M, K))
    return hidden, output, draw.normal(size=(T, N_IN))


def test_units_see_those_before_them_and_themselves():
    hidden, output, inputs = drawn()
    graph, state = nnx.split(CascadeNet(M).build(N_IN, K, nnx.Rngs(0)))
    state["hidden"][...], state["output"][...] = jnp.asarray(hidden), jnp.asarray(output)
    found = nnx.merge(graph, state)(jnp.asarray(inputs), T)
    np.testing.assert_allclose(found, oracle(hidden, output, inputs)[1], rtol=0, atol=1e-12)


def test_a_candidate_does_what_it_will_do_in_the_net():
    hidden, output, inputs = drawn()
    units, _ = oracle(hidden, output, inputs)
    earlier = units * (np.arange(M) < M - 1)  # all but the last are there already
    z = cascade.below(jnp.asarray(inputs)[None], jnp.asarray(earlier)[None])
    v = cascade.candidates(jnp.asarray(hidden[-1:]), z)
    np.testing.assert_allclose(v[0, :, 0], units[:, -1], rtol=0, atol=1e-12)


def test_a_net_begins_without_hidden_units():
    network = CascadeNet(M).build(N_IN, K, nnx.Rngs(0))
    inputs = np.eye(N_IN)
    expected = network.output[: N_IN + 1][:N_IN] + network.output[N_IN]
    np.testing.assert_allclose(network(jnp.asarray(inputs), N_IN), expected, atol=1e-12)
    np.testing.assert_array_equal(network.hidden[...], 0)
