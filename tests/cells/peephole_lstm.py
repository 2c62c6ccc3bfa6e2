"""An LSTM whose gates see the cell state (Gers & Schmidhuber 2000)."""

import jax
import jax.numpy as jnp
from flax import nnx


class PeepholeLSTM(nnx.RNNCellBase):
    """Input and forget gate see the old state, the output gate the new one.

    `bias` is that of the forget gate at the start.
    """

    carried = ("c", "h")

    def __init__(self, n_in, n_hidden, *, bias=1.0, rngs):
        self.n_hidden = n_hidden
        self.bias = bias
        self.gated = nnx.Linear(n_in + n_hidden, 4 * n_hidden, rngs=rngs)
        self.peepholes = nnx.Param(jnp.zeros((3, n_hidden)))

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        zero = jnp.zeros((*input_shape[:-1], self.n_hidden))
        return zero, zero

    def __call__(self, carry, x):
        c, h = carry
        i, f, g, o = jnp.split(self.gated(jnp.concatenate([x, h], -1)), 4, -1)
        p = self.peepholes[...]
        i, f = jax.nn.sigmoid(i + p[0] * c), jax.nn.sigmoid(f + p[1] * c + self.bias)
        c = f * c + i * jnp.tanh(g)
        h = jax.nn.sigmoid(o + p[2] * c) * jnp.tanh(c)
        return (c, h), h
