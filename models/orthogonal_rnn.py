"""A recurrent net whose recurrent matrix is orthogonal whatever its weights are.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> network = Recurrent(OrthogonalRNN, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    >>> network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, zero_bias
from models.products import product


class OrthogonalRNN(Cell):
    r"""Recurrent net that stays orthogonal: a product of reflections (Mhammedi et al. 2017).

    .. math::

        Q &= R_1 R_2 \cdots R_H, \quad R_k = I - 2 u_k u_k^\top / |u_k|^2 \\
        a &= W_{xh} x_t + Q^\top h_{t-1} \\
        h_t &= \operatorname{sign}(a) \odot \max(0, |a| + b)

    The squashing function is modReLU (Arjovsky et al. 2016, for real numbers Helfrich et al.
    2018). At b = 0 it is the identity, so at the start no state, and no gradient, is lost.
    H reflections reach every orthogonal matrix of determinant :math:`(-1)^H`.

    The length of a u_k does not matter.

    Weights: H (n_in + H + 1).

    Attributes:
        W_xh: `[n_in, H]`.
        U: `[H, H]`, column k the vector of reflection k.
        b: `[H]`, added to the size of a unit's net input, not to the net input.
    """

    def __init__(self, in_features: int, hidden_features: int, *, rngs: nnx.Rngs):
        self.hidden_features = hidden_features
        self.W_xh = input_kernel(in_features, hidden_features, rngs)
        self.U = input_kernel(hidden_features, hidden_features, rngs)  # FIDELITY C9
        self.b = zero_bias(hidden_features)

    def recurrent(self) -> jax.Array:
        """The matrix Q, `[H, H]` as `[from, to]`, one reflection after the other.

        The closed form needs LAPACK's triangular solve, whose threads get in the way of a second
        process on the same machine.
        """

        def reflected(Q, u):
            return Q - jnp.outer(Q @ u, 2 / (u @ u) * u), None

        U = self.U[...]
        return jax.lax.scan(reflected, jnp.eye(self.hidden_features, dtype=U.dtype), U.T)[0]

    def prepared(self) -> "RotatingRNN":
        """The same cell with Q at hand, which costs many times as much as a step."""
        return RotatingRNN(self.W_xh, self.recurrent(), self.b)

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        return self.prepared()(carry, x)


class RotatingRNN(Cell):
    """The step of `OrthogonalRNN`.

    Attributes:
        W_xh, b: as there.
        Q: `[H, H]` as `[from, to]`.
    """

    def __init__(self, W_xh: nnx.Param, Q: jax.Array, b: nnx.Param):
        self.hidden_features = len(Q)
        self.W_xh, self.Q, self.b = W_xh, nnx.Param(Q), b

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        a = product(x, self.W_xh) + product(carry, self.Q)
        h = jnp.sign(a) * jax.nn.relu(jnp.abs(a) + self.b)
        return h, h
