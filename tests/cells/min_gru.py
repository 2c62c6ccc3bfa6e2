"""A GRU whose gate and candidate see the input only (Feng et al. 2024)."""

import jax
import jax.numpy as jnp
from flax import nnx


class MinGRU(nnx.RNNCellBase):
    """h = (1 - z) h + z W x with z = sigmoid(V x)."""

    batched = True

    def __init__(self, n_in, n_hidden, *, rngs):
        self.n_hidden = n_hidden
        self.gate = nnx.Linear(n_in, n_hidden, rngs=rngs)
        self.candidate = nnx.Linear(n_in, n_hidden, rngs=rngs)

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        return jnp.zeros((*input_shape[:-1], self.n_hidden))

    def __call__(self, h, x):
        z = jax.nn.sigmoid(self.gate(x))
        h = (1 - z) * h + z * self.candidate(x)
        return h, h
