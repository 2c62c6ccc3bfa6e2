"""The vanilla recurrent net, without gates."""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, product, recurrent_kernel, zero_bias


class RNN(Cell):
    r"""Fully recurrent tanh units (Elman 1990).

    .. math::

        h_t = \tanh(W_{xh} x_t + W_{hh} h_{t-1} + b_h)

    Weights: H (n_in + H + 1).
    """

    def __init__(self, in_features: int, hidden_features: int, *, rngs: nnx.Rngs):
        self.hidden_features = hidden_features
        self.W_xh = input_kernel(in_features, hidden_features, rngs)
        self.W_hh = recurrent_kernel(hidden_features, 1, rngs)
        self.b = zero_bias(hidden_features)

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        h = jnp.tanh(product(x, self.W_xh) + product(carry, self.W_hh) + self.b)
        return h, h
