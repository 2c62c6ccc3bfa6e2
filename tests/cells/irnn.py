"""Rectified units that start as an accumulator (Le, Jaitly & Hinton 2015)."""

import jax
import jax.numpy as jnp
from flax import nnx


class IRNN(nnx.RNNCellBase):
    """h = relu(U h + W x + b), where U is the identity at the start."""

    def __init__(self, n_in, n_hidden, *, rngs):
        self.n_hidden = n_hidden
        self.U = nnx.Param(jnp.eye(n_hidden))
        self.W = nnx.Linear(n_in, n_hidden, kernel_init=nnx.initializers.normal(0.01), rngs=rngs)

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        return jnp.zeros((*input_shape[:-1], self.n_hidden))

    def __call__(self, h, x):
        h = jax.nn.relu(h @ self.U[...] + self.W(x))
        return h, h
