"""Recurrent nets of rectified linear units, which neither saturate nor squash what they keep.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> for cell in (IRNN, IndRNN):
    ...     network = Recurrent(cell, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    ...     network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, memory_steps, zero_bias
from models.products import product


class IRNN(Cell):
    r"""Recurrent ReLU units whose recurrent weights start as the identity (Le et al. 2015).

    .. math::

        h_t = \max(0, W_{xh} x_t + W_{hh} h_{t-1} + b_h)

    Without input, a state at the start stays as it is. Le, Jaitly & Hinton also start with a
    scaled identity where memory is to be short.

    Weights: H (n_in + H + 1).

    Args:
        in_features: n_in, the width of the input.
        hidden_features: H, the number of hidden units.
        scale: what the identity is multiplied by; 1 if None.
        rngs: where initial weights come from.

    Attributes:
        W_xh: `[n_in, H]`.
        W_hh: `[H, H]`.
        b: `[H]`.
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
        self.W_xh = input_kernel(in_features, hidden_features, rngs)  # FIDELITY C7
        identity = jnp.eye(hidden_features, dtype=jnp.float32)
        self.W_hh = nnx.Param(identity if scale is None else scale * identity)
        self.b = zero_bias(hidden_features)

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        h = jax.nn.relu(product(x, self.W_xh) + product(carry, self.W_hh) + self.b)
        return h, h

    def back(self, h: jax.Array, error: jax.Array) -> jax.Array:
        """The error by the old state from that by the new one, h, all `[..., H]`."""
        return (error * (h > 0)) @ self.W_hh[...].T


class IndRNN(Cell):
    r"""Independent ReLU units: each sees the past of no unit but itself (Li et al. 2018).

    .. math::

        h_t = \max(0, W_{xh} x_t + u \odot h_{t-1} + b_h)

    A unit keeps :math:`u^T` of its state over T steps. Li et al. draw u from
    :math:`[0, 2^{1/T}]`, and from :math:`[2^{-1/T}, 2^{1/T}]` in the last layer.

    Weights: H (n_in + 2).

    Warning:
        u is not clipped to :math:`2^{1/T}` after each update as there: no cell knows T.

    Args:
        in_features: n_in, the width of the input.
        hidden_features: H, the number of hidden units.
        memory: steps that a unit keeps its state for at the start, u = 1 - 1 / memory (see
            `models.cell.memory_steps`); if None, u is drawn from [0, 1], the range above for
            large T.
        rngs: where initial weights come from.

    Attributes:
        W_xh: `[n_in, H]`.
        u: `[H]`.
        b: `[H]`.
    """

    settings = ("memory",)

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        H = self.hidden_features = hidden_features
        self.W_xh = input_kernel(in_features, H, rngs)
        if memory is None:  # FIDELITY C8
            self.u = nnx.Param(jax.random.uniform(rngs.params(), (H,), jnp.float32))
        else:
            self.u = nnx.Param(1 - 1 / memory_steps(memory, H, rngs))
        self.b = zero_bias(H)

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        h = jax.nn.relu(product(x, self.W_xh) + self.u * carry + self.b)
        return h, h
