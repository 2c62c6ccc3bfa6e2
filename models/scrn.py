"""The structurally constrained recurrent net: some of its units change slowly.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> network = Recurrent(SCRN, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    >>> network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, memory_bias, recurrent_kernel, zero_bias
from models.products import product


class SCRN(Cell):
    r"""Recurrent net of which half the units are slow averages of the input (Mikolov et al. 2014).

    .. math::

        \alpha &= \sigma(b_\alpha) \\
        s_t &= \alpha \odot s_{t-1} + (1 - \alpha) \odot W_{xs} x_t \\
        h_t &= \sigma(W_{xh} x_t + W_{sh} s_t + W_{hh} h_{t-1} + b_h) \\
        y_t &= (h_t, s_t)

    The H units are S = H // 2 slow units s and F = H - S fast units h. This is the paper's
    variant in which each slow unit learns its own decay.

    Weights: H n_in + F (F + S + 1) + S.

    Args:
        in_features: n_in, the width of the input.
        hidden_features: H, the number of fast and slow units together, at least 2.
        memory: steps that slow units keep their state for at the start, :math:`\alpha = 1 - 1 /`
            memory (see `models.cell.memory_steps`); 20 if None, the paper's :math:`\alpha = 0.95`.
        rngs: where initial weights come from.

    Attributes:
        carried: names of the vectors of the carry.
        W_x: `[n_in, F + S]`, columns h, s.
        W_sh: `[S, F]`.
        W_hh: `[F, F]`.
        b: `[F]`.
        b_alpha: `[S]`.
    """

    carried = ("h", "s")
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
        S = hidden_features // 2  # FIDELITY C10
        F = hidden_features - S
        self.W_x = input_kernel(in_features, hidden_features, rngs)
        self.W_sh = input_kernel(S, F, rngs)  # FIDELITY C3
        self.W_hh = recurrent_kernel(F, 1, rngs)
        self.b = zero_bias(F)
        self.b_alpha = nnx.Param(memory_bias(20.0 if memory is None else memory, S, rngs))

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        """As `Cell.initialize_carry`, for the pair (h `[..., F]`, s `[..., S]`)."""
        units = super().initialize_carry(input_shape, rngs, carry_init)
        fast = self.b.size
        return units[..., :fast], units[..., fast:]

    def __call__(
        self, carry: tuple[jax.Array, jax.Array], x: jax.Array
    ) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        """One step: ((h, s), x `[..., n_in]`) -> ((new h, new s), both as one `[..., H]`)."""
        h, s = carry
        xh, xs = jnp.split(product(x, self.W_x), (self.b.size,), -1)
        alpha = jax.nn.sigmoid(self.b_alpha[...])  # FIDELITY C11
        s = alpha * s + (1 - alpha) * xs
        h = jax.nn.sigmoid(xh + product(s, self.W_sh) + product(h, self.W_hh) + self.b)
        return (h, s), jnp.concatenate([h, s], -1)
