import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.network import Recurrent
from models.orthogonal_rnn import OrthogonalRNN
from models.relu_rnn import IRNN, IndRNN
from models.rnn import RNN
from models.scrn import SCRN
from tests.models.case import N_IN, H, made


def test_the_scale_of_recurrent_weights_is_their_singular_value():
    W = np.asarray(made(RNN, scale=0.7).W_hh[...])
    np.testing.assert_allclose(np.linalg.svd(W)[1], 0.7, rtol=1e-5)


@pytest.mark.parametrize(("scale", "left"), [(None, 1.0), (0.5, 0.25)])
def test_irnn_keeps_a_state_without_input(scale, left):
    cell = made(IRNN, scale=scale)
    h = start = jnp.arange(1.0, H + 1)
    for _ in range(2):
        h, _ = cell(h, jnp.zeros(N_IN))
    np.testing.assert_array_equal(h, left * start)


def test_indrnn_is_a_relu_net_with_a_diagonal_matrix():
    cell, full = made(IndRNN), made(IRNN)
    full.W_xh[...], full.W_hh[...] = cell.W_xh[...], jnp.diag(cell.u[...])
    x, h = jax.random.normal(jax.random.key(0), (N_IN,)), jnp.ones(H)
    np.testing.assert_allclose(cell(h, x)[0], full(h, x)[0], rtol=1e-6)
    u = IndRNN(N_IN, 1000, rngs=nnx.Rngs(1)).u[...]
    assert 0 <= u.min() < 0.01
    assert 0.99 < u.max() < 1


@pytest.mark.parametrize("hidden", [1, 2, 7, 32])
def test_recurrent_matrix_is_orthogonal_whatever_the_weights(hidden):
    cell = OrthogonalRNN(N_IN, hidden, rngs=nnx.Rngs(0))
    cell.U[...] *= 1 + 3 * jax.random.uniform(jax.random.key(1), cell.U.shape)
    Q = np.asarray(cell.recurrent(), np.float64)
    np.testing.assert_allclose(Q @ Q.T, np.eye(hidden), atol=1e-4)
    assert np.sign(np.linalg.det(Q)) == (-1) ** hidden
    expected = np.eye(hidden)
    for u in np.asarray(cell.U[...], np.float64).T:
        expected = expected @ (np.eye(hidden) - 2 * np.outer(u, u) / (u @ u))
    np.testing.assert_allclose(Q, expected, atol=1e-4)


def test_orthogonal_rnn_starts_without_loss_of_state_or_gradient():
    cell = made(OrthogonalRNN)
    h = jax.random.normal(jax.random.key(0), (H,))

    def later(h):
        for _ in range(10):
            h, _ = cell(h, jnp.zeros(N_IN))
        return h

    J = jax.jit(jax.jacobian(later))(h)
    np.testing.assert_allclose(np.linalg.svd(J)[1], 1, rtol=1e-4)
    np.testing.assert_allclose(jnp.linalg.norm(later(h)), jnp.linalg.norm(h), rtol=1e-4)


def test_the_orthogonal_matrix_is_made_once_for_all_steps():
    network = Recurrent(OrthogonalRNN, H).build(N_IN, 1, nnx.Rngs(0))
    xs, length = jnp.zeros((7, N_IN)), jnp.array(7)
    loops = [
        (equation.params["length"], str(equation.params["jaxpr"]))
        for equation in jax.make_jaxpr(network)(xs, length).eqns
        if equation.primitive.name == "scan"
    ]
    assert sorted(length for length, _ in loops) == [H, 7]
    assert all("scan" not in step for _, step in loops)


def test_half_of_scrn_forgets_slowly():
    cell = made(SCRN)
    h, s = cell.initialize_carry((N_IN,))
    (_, s), y = cell((h, jnp.ones_like(s)), jnp.zeros(N_IN))
    np.testing.assert_allclose(s, 0.95, rtol=1e-6)
    np.testing.assert_array_equal(y[-len(s) :], s)
    assert (h.size, s.size) == (3, 2)
