"""MUT1 and MUT2 in the reading of public libraries: an input matrix for each use of the input.

Jozefowicz et al. 2015, as in `models.mut`, where one matrix stands for the bare input everywhere.
MUT3 has no bare input: both readings of it are `models.mut.MUT3`.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> for cell in (MUT1Separate, MUT2Separate):
    ...     network = Recurrent(cell, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    ...     network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import input_kernel, recurrent_kernel
from models.mut import MUT, biases
from models.products import product


class _Separate(MUT):
    """What the two share: the weights of the input."""

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        H = self.hidden_features = hidden_features
        self.W_x = input_kernel(in_features, 3 * H, rngs)  # FIDELITY C1
        self.b = biases(memory, H, rngs)


class MUT1Separate(_Separate):
    r"""MUT1 with separate input matrices: the candidate squashes an input map of its own.

    .. math::

        z &= \sigma(W_{xz} x_t + b_z) \\
        r &= \sigma(W_{xr} x_t + W_{hr} h_{t-1} + b_r) \\
        h_t &= z \odot \tanh(W_{hh} (r \odot h_{t-1}) + \tanh(W_{xh} x_t) + b_h)
            + (1 - z) \odot h_{t-1}

    Weights: H (3n_in + 2H + 3).

    Attributes:
        W_x: `[n_in, 3H]`, columns z, r, h.
        W_hr: `[H, H]`.
        W_hh: `[H, H]`.
        b: `[3H]`, z, r, h.
    """

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        super().__init__(in_features, hidden_features, memory=memory, rngs=rngs)
        self.W_hr = recurrent_kernel(hidden_features, 1, rngs)
        self.W_hh = recurrent_kernel(hidden_features, 1, rngs)

    def gates(self, carry: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
        """Activations z, r and the candidate of one step, each `[..., H]`."""
        xz, xr, xh = jnp.split(product(x, self.W_x), 3, -1)
        b_z, b_r, b_h = jnp.split(self.b[...], 3)
        z = jax.nn.sigmoid(xz + b_z)
        r = jax.nn.sigmoid(xr + product(carry, self.W_hr) + b_r)
        candidate = jnp.tanh(product(r * carry, self.W_hh) + jnp.tanh(xh) + b_h)
        return {"z": z, "r": r, "candidate": candidate}


class MUT2Separate(_Separate):
    r"""MUT2 with separate input matrices: the GRU under another name, the sign of z changed.

    .. math::

        z &= \sigma(W_{xz} x_t + W_{hz} h_{t-1} + b_z) \\
        r &= \sigma(W_{xr} x_t + W_{hr} h_{t-1} + b_r) \\
        h_t &= z \odot \tanh(W_{hh} (r \odot h_{t-1}) + W_{xh} x_t + b_h)
            + (1 - z) \odot h_{t-1}

    Weights: 3H (n_in + H + 1).

    Attributes:
        W_x: `[n_in, 3H]`, columns z, r, h.
        W_h: `[H, 2H]`, columns z, r.
        W_hh: `[H, H]`.
        b: `[3H]`, z, r, h.
    """

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        super().__init__(in_features, hidden_features, memory=memory, rngs=rngs)
        self.W_h = recurrent_kernel(hidden_features, 2, rngs)
        self.W_hh = recurrent_kernel(hidden_features, 1, rngs)

    def gates(self, carry: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
        """Activations z, r and the candidate of one step, each `[..., H]`."""
        xz, xr, xh = jnp.split(product(x, self.W_x) + self.b, 3, -1)
        hz, hr = jnp.split(product(carry, self.W_h), 2, -1)
        z, r = jax.nn.sigmoid(xz + hz), jax.nn.sigmoid(xr + hr)
        return {"z": z, "r": r, "candidate": jnp.tanh(product(r * carry, self.W_hh) + xh)}
