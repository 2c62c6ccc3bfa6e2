"""The popular LSTM, with a forget gate.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> network = Recurrent(LSTM, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    >>> network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, memory_bias, recurrent_kernel
from models.products import product


class LSTM(Cell):
    r"""LSTM with forget gate (Gers et al. 2000), without peepholes.

    .. math::

        i &= \sigma(W_{xi} x_t + W_{hi} h_{t-1} + b_i) \\
        f &= \sigma(W_{xf} x_t + W_{hf} h_{t-1} + b_f) \\
        g &= \tanh(W_{xg} x_t + W_{hg} h_{t-1} + b_g) \\
        o &= \sigma(W_{xo} x_t + W_{ho} h_{t-1} + b_o) \\
        c_t &= f \odot c_{t-1} + i \odot g \\
        h_t &= o \odot \tanh(c_t)

    Weights: 4H (n_in + H + 1).

    Warning:
        The forget bias starts at 1, where flax's cells start it at 0. It is a weight like the
        others, not a constant added to it.

    Attributes:
        carried: names of the vectors of the carry.
        W_x: `[n_in, 4H]`, columns i, f, g, o.
        W_h: `[H, 4H]`, columns likewise.
        b: `[4H]`, likewise.
    """

    carried = ("c", "h")
    settings: tuple[str, ...] = ("memory",)

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        H = self.hidden_features = hidden_features
        self.W_x = input_kernel(in_features, 4 * H, rngs)
        self.W_h = recurrent_kernel(H, 4, rngs)
        forget = 1.0 if memory is None else memory_bias(memory, H, rngs)  # FIDELITY C4
        self.b = nnx.Param(jnp.zeros(4 * H, jnp.float32).at[H : 2 * H].set(forget))

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        """As `Cell.initialize_carry`, for the pair (c, h), each `[..., H]`."""
        draw = super().initialize_carry
        return draw(input_shape, rngs, carry_init), draw(input_shape, rngs, carry_init)

    def gates(self, carry: tuple[jax.Array, jax.Array], x: jax.Array) -> dict[str, jax.Array]:
        """Activations i, f, g, o of one step, each `[..., H]`; arguments as of `__call__`."""
        _, h = carry
        i, f, g, o = jnp.split(product(x, self.W_x) + product(h, self.W_h) + self.b, 4, -1)
        sigmoid = jax.nn.sigmoid
        return {"i": sigmoid(i), "f": sigmoid(f), "g": jnp.tanh(g), "o": sigmoid(o)}

    def __call__(
        self, carry: tuple[jax.Array, jax.Array], x: jax.Array
    ) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        """One step: ((c, h) each `[..., H]`, x `[..., n_in]`) -> ((new c, new h), new h)."""
        i, f, g, o = self.gates(carry, x).values()
        c = f * carry[0] + i * g
        h = o * jnp.tanh(c)
        return (c, h), h
