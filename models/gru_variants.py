"""Cells near the gated recurrent unit: reset after the product, one gate, no recurrent product.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> for cell in (ResetAfterGRU, MGU, MinGRU):
    ...     network = Recurrent(cell, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    ...     network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
    (3, 50, 1)
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, memory_bias, recurrent_kernel, zero_bias
from models.parallel import held, linear_recurrence
from models.products import product


class ResetAfterGRU(Cell):
    r"""GRU that resets after the recurrent product, as cuDNN, PyTorch and Keras have it.

    .. math::

        r &= \sigma(W_{xr} x_t + W_{hr} h_{t-1} + b_r) \\
        z &= \sigma(W_{xz} x_t + W_{hz} h_{t-1} + b_z) \\
        \tilde h &= \tanh(W_{xh} x_t + b_h + r \odot (W_{hh} h_{t-1} + b_{hh})) \\
        h_t &= z \odot h_{t-1} + (1 - z) \odot \tilde h

    The first version of Cho et al. 2014. All recurrent products are one, and need not wait for r.

    Weights: H (3n_in + 3H + 4).

    Attributes:
        W_x: `[n_in, 3H]`, columns r, z, h.
        W_h: `[H, 3H]`, columns likewise.
        b: `[3H]`, r, z, h.
        b_hh: `[H]`, the bias that r scales.
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
        self.W_h = recurrent_kernel(H, 3, rngs)
        keep = 0.0 if memory is None else memory_bias(memory, H, rngs)
        self.b = nnx.Param(jnp.zeros(3 * H, jnp.float32).at[H : 2 * H].set(keep))
        self.b_hh = zero_bias(H)  # FIDELITY C17

    def gates(self, carry: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
        """Activations r, z and the candidate of one step, each `[..., H]`."""
        xr, xz, xh = jnp.split(product(x, self.W_x) + self.b, 3, -1)
        hr, hz, hh = jnp.split(product(carry, self.W_h), 3, -1)
        r, z = jax.nn.sigmoid(xr + hr), jax.nn.sigmoid(xz + hz)
        return {"r": r, "z": z, "candidate": jnp.tanh(xh + r * (hh + self.b_hh))}

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        _, z, candidate = self.gates(carry, x).values()
        h = z * carry + (1 - z) * candidate
        return h, h


class MGU(Cell):
    r"""Minimal gated unit: one gate forgets and resets (Zhou et al. 2016).

    .. math::

        f &= \sigma(W_{xf} x_t + W_{hf} h_{t-1} + b_f) \\
        \tilde h &= \tanh(W_{xh} x_t + W_{hh} (f \odot h_{t-1}) + b_h) \\
        h_t &= (1 - f) \odot h_{t-1} + f \odot \tilde h

    Weights: 2H (n_in + H + 1).

    Warning:
        The authors call f a forget gate, but an open one overwrites.

    Attributes:
        W_x: `[n_in, 2H]`, columns f, h.
        W_hf: `[H, H]`.
        W_hh: `[H, H]`.
        b: `[2H]`, f, h.
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
        self.W_x = input_kernel(in_features, 2 * H, rngs)
        self.W_hf = recurrent_kernel(H, 1, rngs)
        self.W_hh = recurrent_kernel(H, 1, rngs)
        self.b = _overwriting(memory, H, rngs)

    def gates(self, carry: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
        """Activations f and the candidate of one step, each `[..., H]`."""
        xf, xh = jnp.split(product(x, self.W_x) + self.b, 2, -1)
        f = jax.nn.sigmoid(xf + product(carry, self.W_hf))
        return {"f": f, "candidate": jnp.tanh(xh + product(f * carry, self.W_hh))}

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        f, candidate = self.gates(carry, x).values()
        h = (1 - f) * carry + f * candidate
        return h, h


class MinGRU(Cell):
    r"""Minimal GRU: gate and candidate see the input only (Feng et al. 2024).

    .. math::

        z &= \sigma(W_{xz} x_t + b_z) \\
        h_t &= (1 - z) \odot h_{t-1} + z \odot (W_{xh} x_t + b_h)

    Feng et al. 2024, "Were RNNs All We Needed?", the form with a linear candidate. All steps
    can run at once.

    Weights: 2H (n_in + 1).

    Attributes:
        W_x: `[n_in, 2H]`, columns z, h.
        b: `[2H]`, z, h.
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
        self.hidden_features = hidden_features
        self.W_x = input_kernel(in_features, 2 * hidden_features, rngs)
        self.b = _overwriting(memory, hidden_features, rngs)

    def gates(self, carry: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
        """Activation z and the candidate of one step, each `[..., H]`; the carry is not read."""
        z, candidate = jnp.split(product(x, self.W_x) + self.b, 2, -1)
        return {"z": jax.nn.sigmoid(z), "candidate": candidate}  # FIDELITY C18

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        z, candidate = self.gates(carry, x).values()
        h = (1 - z) * carry + z * candidate
        return h, h

    def unrolled(self, xs: jax.Array, alive: jax.Array) -> jax.Array:
        """All steps at once: xs `[T, ..., n_in]`, alive `[T, ...]` bool -> h `[T, ..., H]`.

        As the steps one by one from a zero carry, the state held where not alive.
        """
        z, candidate = self.gates(xs, xs).values()
        return linear_recurrence(*held(alive, 1 - z, z * candidate))


def _overwriting(memory: float | jax.Array | None, H: int, rngs: nnx.Rngs) -> nnx.Param:
    """Biases `[2H]` of a gate that overwrites when open, and of the candidate."""
    write = 0.0 if memory is None else -memory_bias(memory, H, rngs)
    return nnx.Param(jnp.zeros(2 * H, jnp.float32).at[:H].set(write))
