"""An LSTM with layer normalisation (Ba, Kiros & Hinton 2016)."""

import jax
import jax.numpy as jnp
from flax import nnx


class LayerNormLSTM(nnx.RNNCellBase):
    """What comes from input, from output and from the state is normalised, each by itself."""

    def __init__(self, n_in, n_hidden, *, rngs):
        self.n_hidden = n_hidden
        self.W = nnx.Linear(n_in, 4 * n_hidden, use_bias=False, rngs=rngs)
        self.U = nnx.Linear(n_hidden, 4 * n_hidden, use_bias=False, rngs=rngs)
        self.of_input, self.of_output = (nnx.LayerNorm(4 * n_hidden, rngs=rngs) for _ in range(2))
        self.of_state = nnx.LayerNorm(n_hidden, rngs=rngs)

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        zero = jnp.zeros((*input_shape[:-1], self.n_hidden))
        return zero, zero

    def __call__(self, carry, x):
        c, h = carry
        i, f, g, o = jnp.split(self.of_input(self.W(x)) + self.of_output(self.U(h)), 4, -1)
        c = jax.nn.sigmoid(f + 1) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(self.of_state(c))
        return (c, h), h
