"""The vanilla recurrent net, without gates.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> for cell in (RNN, GaussianRNN, SparseRNN):
    ...     network = Recurrent(cell, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    ...     network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
    (3, 50, 1)
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, recurrent_kernel, zero_bias
from models.products import product


class RNN(Cell):
    r"""Fully recurrent tanh units (Elman 1990).

    .. math::

        h_t = \tanh(W_{xh} x_t + W_{hh} h_{t-1} + b_h)

    Weights: H (n_in + H + 1).

    Args:
        in_features: n_in, the width of the input.
        hidden_features: H, the number of hidden units.
        scale: all singular values of W_hh at the start.
        rngs: where initial weights come from.
    """

    settings = ("scale",)

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        scale: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        self.hidden_features = hidden_features
        self.W_xh = input_kernel(in_features, hidden_features, rngs)
        self.W_hh = self._recurrent(rngs, scale)
        self.b = zero_bias(hidden_features)

    def _recurrent(self, rngs: nnx.Rngs, scale: float | jax.Array | None) -> nnx.Param:
        """W_hh at the start, `[H, H]`."""
        return recurrent_kernel(self.hidden_features, 1, rngs, scale)

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        h = jnp.tanh(product(x, self.W_xh) + product(carry, self.W_hh) + self.b)
        return h, h

    def back(self, h: jax.Array, error: jax.Array) -> jax.Array:
        """The error by the old state from that by the new one, h, all `[..., H]`."""
        return (error * (1 - h**2)) @ self.W_hh[...].T


class GaussianRNN(RNN):
    """Tanh units whose recurrent weights start normally distributed, with variance 1/H.

    The equations are those of `RNN`. The usual start before orthogonal ones: some directions of
    the state are lost in every step.

    Weights: H (n_in + H + 1).

    Args:
        in_features: n_in, the width of the input.
        hidden_features: H, the number of hidden units.
        scale: what the weights are multiplied by; 1 if None.
        rngs: where initial weights come from.
    """

    def _recurrent(self, rngs: nnx.Rngs, scale: float | jax.Array | None) -> nnx.Param:
        drawn = input_kernel(self.hidden_features, self.hidden_features, rngs)  # FIDELITY C26
        return drawn if scale is None else nnx.Param(scale * drawn[...])


class SparseRNN(RNN):
    """Tanh units that each start with 15 weights from other units (Martens & Sutskever 2011).

    The equations are those of `RNN`. The 15 weights are normally distributed, with a variance that
    gives a large matrix the spectral radius `scale`. Weights that start at 0 learn as all others
    do.

    Weights: H (n_in + H + 1).

    Args:
        in_features: n_in, the width of the input.
        hidden_features: H, the number of hidden units.
        scale: the spectral radius that is expected of W_hh; 1.1 if None (Sutskever et al. 2013).
        rngs: where initial weights come from.
    """

    CONNECTIONS = 15

    def _recurrent(self, rngs: nnx.Rngs, scale: float | jax.Array | None) -> nnx.Param:
        H = self.hidden_features
        count = min(self.CONNECTIONS, H)
        order = jnp.argsort(jax.random.uniform(rngs.params(), (H, H)), axis=0)
        drawn = jax.random.normal(rngs.params(), (H, H), jnp.float32)
        radius = 1.1 if scale is None else scale  # FIDELITY C29
        return nnx.Param(jnp.where(order < count, radius / count**0.5 * drawn, 0.0))
