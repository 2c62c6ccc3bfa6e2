"""Leaky units: tanh units whose state is a slow average.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> network = Recurrent(LeakyRNN, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    >>> network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, memory_bias, recurrent_kernel, zero_bias
from models.products import product


class LeakyRNN(Cell):
    r"""Recurrent net of leaky tanh units (Mozer 1992; Jaeger et al. 2007; Bengio et al. 2013).

    .. math::

        \alpha &= \sigma(b_\alpha) \\
        h_t &= \alpha \odot h_{t-1} +
            (1 - \alpha) \odot \tanh(W_{xh} x_t + W_{hh} h_{t-1} + b_h)

    An error loses no more than :math:`1 - \alpha` of itself in a step along the leak. Each unit
    learns its own :math:`\alpha`.

    Weights: H (n_in + H + 2).

    Args:
        in_features: n_in, the width of the input.
        hidden_features: H, the number of hidden units.
        memory: steps that units keep their state for at the start, :math:`\alpha = 1 - 1 /` memory
            (see `models.cell.memory_steps`); 10 if None.
        rngs: where initial weights come from.

    Attributes:
        W_xh: `[n_in, H]`.
        W_hh: `[H, H]`.
        b: `[H]`.
        b_alpha: `[H]`.
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
        self.W_hh = recurrent_kernel(H, 1, rngs)
        self.b = zero_bias(H)
        self.b_alpha = nnx.Param(memory_bias(10.0 if memory is None else memory, H, rngs))

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        alpha = jax.nn.sigmoid(self.b_alpha[...])  # FIDELITY C27
        candidate = jnp.tanh(product(x, self.W_xh) + product(carry, self.W_hh) + self.b)
        h = alpha * carry + (1 - alpha) * candidate
        return h, h
