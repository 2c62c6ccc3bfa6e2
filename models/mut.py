"""The three cells that an evolutionary search over architectures found.

Jozefowicz, Zaremba & Sutskever 2015, "An Empirical Exploration of Recurrent Network
Architectures". Unlike in the GRU, z multiplies the candidate, not the old state.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> for cell in (MUT1, MUT2, MUT3):
    ...     network = Recurrent(cell, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    ...     network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
    (3, 50, 1)
    (3, 50, 1)
"""

import abc

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, memory_bias, recurrent_kernel
from models.products import product


def biases(memory: float | jax.Array | None, H: int, rngs: nnx.Rngs) -> nnx.Param:
    """Biases `[3H]` of z, r and the candidate; an open z forgets, so it is z that starts closed."""
    forget = 0.0 if memory is None else -memory_bias(memory, H, rngs)
    return nnx.Param(jnp.zeros(3 * H, jnp.float32).at[:H].set(forget))


class MUT(Cell):
    """What they share: how the gates make the new state."""

    settings = ("memory",)

    @abc.abstractmethod
    def gates(self, carry: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
        """Activations z, r and the candidate of one step, each `[..., H]`."""

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        z, _, candidate = self.gates(carry, x).values()
        h = z * candidate + (1 - z) * carry
        return h, h


class MUT1(MUT):
    r"""MUT1: the update gate sees the input only, the candidate a squashed input.

    .. math::

        u &= W_{xu} x_t \\
        z &= \sigma(W_{uz} u + b_z) \\
        r &= \sigma(W_{ur} u + W_{hr} h_{t-1} + b_r) \\
        h_t &= z \odot \tanh(W_{hh} (r \odot h_{t-1}) + \tanh(u) + b_h)
            + (1 - z) \odot h_{t-1}

    Weights: H (n_in + 4H + 3).

    Attributes:
        W_xu: `[n_in, H]`, brings the input to the hidden size.
        W_u: `[H, 2H]`, columns z, r.
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
        H = self.hidden_features = hidden_features
        self.W_xu = input_kernel(in_features, H, rngs)  # FIDELITY C1
        self.W_u = input_kernel(H, 2 * H, rngs)
        self.W_hr = recurrent_kernel(H, 1, rngs)
        self.W_hh = recurrent_kernel(H, 1, rngs)
        self.b = biases(memory, H, rngs)

    def gates(self, carry: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
        """Activations z, r and the candidate of one step, each `[..., H]`."""
        h = carry  # FIDELITY C6
        b_z, b_r, b_h = jnp.split(self.b[...], 3)
        u = product(x, self.W_xu)
        uz, ur = jnp.split(product(u, self.W_u), 2, -1)
        z = jax.nn.sigmoid(uz + b_z)
        r = jax.nn.sigmoid(ur + product(h, self.W_hr) + b_r)
        candidate = jnp.tanh(product(r * h, self.W_hh) + jnp.tanh(u) + b_h)
        return {"z": z, "r": r, "candidate": candidate}


class MUT2(MUT):
    r"""MUT2: the input enters the reset gate without weights of that gate's own.

    .. math::

        u &= W_{xu} x_t \\
        z &= \sigma(W_{uz} u + W_{hz} h_{t-1} + b_z) \\
        r &= \sigma(u + W_{hr} h_{t-1} + b_r) \\
        h_t &= z \odot \tanh(W_{hh} (r \odot h_{t-1}) + W_{uh} u + b_h)
            + (1 - z) \odot h_{t-1}

    Weights: H (n_in + 5H + 3).

    Attributes:
        W_xu: `[n_in, H]`, brings the input to the hidden size.
        W_u: `[H, 2H]`, columns z, h.
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
        H = self.hidden_features = hidden_features
        self.W_xu = input_kernel(in_features, H, rngs)  # FIDELITY C1
        self.W_u = input_kernel(H, 2 * H, rngs)
        self.W_h = recurrent_kernel(H, 2, rngs)
        self.W_hh = recurrent_kernel(H, 1, rngs)
        self.b = biases(memory, H, rngs)

    def gates(self, carry: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
        """Activations z, r and the candidate of one step, each `[..., H]`."""
        h = carry  # FIDELITY C6
        b_z, b_r, b_h = jnp.split(self.b[...], 3)
        u = product(x, self.W_xu)
        uz, uh = jnp.split(product(u, self.W_u), 2, -1)
        hz, hr = jnp.split(product(h, self.W_h), 2, -1)
        z = jax.nn.sigmoid(uz + hz + b_z)
        r = jax.nn.sigmoid(u + hr + b_r)
        return {"z": z, "r": r, "candidate": jnp.tanh(product(r * h, self.W_hh) + uh + b_h)}


class MUT3(MUT):
    r"""MUT3: the update gate sees a squashed state.

    .. math::

        z &= \sigma(W_{xz} x_t + W_{hz} \tanh(h_{t-1}) + b_z) \\
        r &= \sigma(W_{xr} x_t + W_{hr} h_{t-1} + b_r) \\
        h_t &= z \odot \tanh(W_{hh} (r \odot h_{t-1}) + W_{xh} x_t + b_h)
            + (1 - z) \odot h_{t-1}

    Weights: 3H (n_in + H + 1).

    Attributes:
        W_x: `[n_in, 3H]`, columns z, r, h.
        W_hz: `[H, H]`.
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
        H = self.hidden_features = hidden_features
        self.W_x = input_kernel(in_features, 3 * H, rngs)
        self.W_hz = recurrent_kernel(H, 1, rngs)
        self.W_hr = recurrent_kernel(H, 1, rngs)
        self.W_hh = recurrent_kernel(H, 1, rngs)
        self.b = biases(memory, H, rngs)

    def gates(self, carry: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
        """Activations z, r and the candidate of one step, each `[..., H]`."""
        h = carry  # FIDELITY C6
        xz, xr, xh = jnp.split(product(x, self.W_x) + self.b, 3, -1)
        z = jax.nn.sigmoid(xz + product(jnp.tanh(h), self.W_hz))
        r = jax.nn.sigmoid(xr + product(h, self.W_hr))
        return {"z": z, "r": r, "candidate": jnp.tanh(product(r * h, self.W_hh) + xh)}
