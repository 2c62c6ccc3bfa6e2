"""The gated recurrent unit.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> network = Recurrent(GRU, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    >>> network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, memory_bias, recurrent_kernel
from models.products import product


class GRU(Cell):
    r"""Gated recurrent unit, reset before the recurrent product (Cho et al. 2014).

    .. math::

        r &= \sigma(W_{xr} x_t + W_{hr} h_{t-1} + b_r) \\
        z &= \sigma(W_{xz} x_t + W_{hz} h_{t-1} + b_z) \\
        \tilde h &= \tanh(W_{xh} x_t + W_{hh} (r \odot h_{t-1}) + b_h) \\
        h_t &= z \odot h_{t-1} + (1 - z) \odot \tilde h

    Weights: 3H (n_in + H + 1).

    Warning:
        Another cell than `flax.nnx.GRUCell`, which resets after the product:
        :math:`r \odot (W_{hh} h_{t-1})`.

    Attributes:
        W_x: `[n_in, 3H]`, columns r, z, h.
        W_h: `[H, 2H]`, columns r, z.
        W_hh: `[H, H]`.
        b: `[3H]`, r, z, h.
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
        self.W_x = input_kernel(in_features, 3 * H, rngs)
        self.W_h = recurrent_kernel(H, 2, rngs)
        self.W_hh = recurrent_kernel(H, 1, rngs)
        keep = 0.0 if memory is None else memory_bias(memory, H, rngs)
        self.b = nnx.Param(jnp.zeros(3 * H, jnp.float32).at[H : 2 * H].set(keep))

    def gates(self, carry: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
        """Activations r, z and the candidate of one step, each `[..., H]`."""
        h = carry
        xr, xz, xh = jnp.split(product(x, self.W_x) + self.b, 3, -1)
        hr, hz = jnp.split(product(h, self.W_h), 2, -1)
        r, z = jax.nn.sigmoid(xr + hr), jax.nn.sigmoid(xz + hz)
        candidate = jnp.tanh(xh + product(r * h, self.W_hh))  # FIDELITY C5
        return {"r": r, "z": z, "candidate": candidate}

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        _, z, candidate = self.gates(carry, x).values()
        h = z * carry + (1 - z) * candidate
        return h, h
