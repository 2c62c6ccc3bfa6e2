"""The scalar LSTM of the xLSTM, with an exponential input gate.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> network = Recurrent(SLSTM, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    >>> network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, memory_bias, recurrent_kernel
from models.products import product


class SLSTM(Cell):
    r"""sLSTM: an exponential input gate can overrule all the state holds (Beck et al. 2024).

    .. math::

        \tilde k &= W_{xk} x_t + W_{hk} h_{t-1} + b_k, \quad k = i, f, z, o \\
        m_t &= \max(\log \sigma(\tilde f) + m_{t-1}, \tilde i) \\
        i &= \exp(\tilde i - m_t), \quad f = \exp(\log \sigma(\tilde f) + m_{t-1} - m_t) \\
        c_t &= f \odot c_{t-1} + i \odot \tanh(\tilde z) \\
        n_t &= f \odot n_{t-1} + i \\
        h_t &= \sigma(\tilde o) \odot c_t / n_t

    The stabiliser m scales c and n alike and keeps i and f below 1; h is what it would be with
    :math:`i = \exp \tilde i` and :math:`f = \sigma(\tilde f)`. Of the paper's two forget gates
    this is the sigmoid. One head, no normalisation around the cell.

    Weights: 4H (n_in + H + 1).

    Args:
        in_features: n_in, the width of the input.
        hidden_features: H, the number of hidden units.
        memory: steps that the forget gate keeps the state for at the start (see
            `models.cell.memory_bias`). If None, b_f falls from 5 to -7 over the units as
            :math:`5 - 12 (k / (H - 1))^{0.3}`, as in the authors' library for a single block.
        rngs: where initial weights come from.

    Attributes:
        carried: names of the vectors of the carry.
        W_x: `[n_in, 4H]`, columns i, f, z, o.
        W_h: `[H, 4H]`, columns likewise.
        b: `[4H]`, likewise.
    """

    carried = ("c", "n", "m", "h")
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
        self.W_x = input_kernel(in_features, 4 * H, rngs)
        self.W_h = recurrent_kernel(H, 4, rngs)
        if memory is None:  # FIDELITY C15
            forget = 5 - 12 * jnp.linspace(0, 1, H, dtype=jnp.float32) ** 0.3
        else:
            forget = memory_bias(memory, H, rngs)
        self.b = nnx.Param(jnp.zeros(4 * H, jnp.float32).at[H : 2 * H].set(forget))

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        """As `Cell.initialize_carry`, for (c, n, m, h), each `[..., H]`."""
        draw = super().initialize_carry
        return tuple(draw(input_shape, rngs, carry_init) for _ in self.carried)

    def gates(self, carry: tuple[jax.Array, ...], x: jax.Array) -> dict[str, jax.Array]:
        """Activations i, f (both as scaled by m), z, o of one step, each `[..., H]`."""
        return self._gates(carry, x)[0]

    def _gates(self, carry, x):
        """Activations, and the new m."""
        _, n, m, h = carry
        i, f, z, o = jnp.split(product(x, self.W_x) + product(h, self.W_h) + self.b, 4, -1)
        # As long as nothing is stored there is no scale to keep: m follows i, however small.
        kept = jnp.where(n == 0, -jnp.inf, jax.nn.log_sigmoid(f) + m)
        # No output depends on m, so its gradient, zero as a whole, need not be worked out.
        m = jax.lax.stop_gradient(jnp.maximum(kept, i))
        i, f = jnp.exp(i - m), jnp.exp(kept - m)
        return {"i": i, "f": f, "z": jnp.tanh(z), "o": jax.nn.sigmoid(o)}, m

    def __call__(
        self, carry: tuple[jax.Array, ...], x: jax.Array
    ) -> tuple[tuple[jax.Array, ...], jax.Array]:
        """One step: ((c, n, m, h) each `[..., H]`, x `[..., n_in]`) -> (all four anew, new h)."""
        gates, m = self._gates(carry, x)
        i, f, z, o = gates.values()
        c = f * carry[0] + i * z
        n = f * carry[1] + i
        h = o * c / n
        return (c, n, m, h), h
