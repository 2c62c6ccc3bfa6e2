"""The vanilla recurrent net with layer normalisation.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> network = Recurrent(LayerNormRNN, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    >>> network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, zero_bias
from models.products import product


class LayerNormRNN(Cell):
    r"""Tanh units whose net inputs are normalised at each step (Ba, Kiros & Hinton 2016, eq. 4).

    .. math::

        a &= W_{xh} x_t + W_{hh} h_{t-1} \\
        h_t &= \tanh(g \odot (a - \mu) / \sqrt{\sigma^2 + 10^{-5}} + b_h)

    Mean and variance are those of the H net inputs of the step. What `models.wrappers.Normalised`
    normalises is the output, of any cell.

    Weights: H (n_in + H + 2).

    Args:
        in_features: n_in, the width of the input.
        hidden_features: H, the number of hidden units.
        scale: of the gains at the start; 1 if None. The scale of the recurrent weights alone
            would be normalised away where they outweigh the input.
        rngs: where initial weights come from.

    Attributes:
        W_xh: `[n_in, H]`.
        W_hh: `[H, H]`, normally distributed at the start, as in `models.rnn.GaussianRNN`.
        g: `[H]`, gains.
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
        H = self.hidden_features = hidden_features
        self.W_xh = input_kernel(in_features, H, rngs)
        self.W_hh = input_kernel(H, H, rngs)  # FIDELITY C3
        self.g = nnx.Param(jnp.full(H, 1.0 if scale is None else scale, jnp.float32))
        self.b = zero_bias(H)

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        a = product(x, self.W_xh) + product(carry, self.W_hh)
        a -= a.mean(-1, keepdims=True)
        deviation = jnp.sqrt(jnp.mean(a**2, -1, keepdims=True) + 1e-5)
        h = jnp.tanh(self.g * (a / deviation) + self.b)
        return h, h
