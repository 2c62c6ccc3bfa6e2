"""A linear recurrent unit with complex weights (Orvieto et al. 2023)."""

import jax
import jax.numpy as jnp
from flax import nnx


class ComplexLRU(nnx.RNNCellBase):
    """s = d s + B x with |d| < 1 for each unit; the output is tanh(Re(C s) + D x)."""

    def __init__(self, n_in, n_hidden, *, rngs):
        draw = jax.random.normal
        self.n_hidden = n_hidden
        self.nu = nnx.Param(jnp.log(-jnp.log(jnp.linspace(0.8, 0.99, n_hidden))))
        self.theta = nnx.Param(jnp.linspace(0.1, 3.0, n_hidden))
        self.B = nnx.Param(draw(rngs.params(), (n_in, n_hidden), jnp.complex64))
        self.C = nnx.Param(draw(rngs.params(), (n_hidden, n_hidden), jnp.complex64) / n_hidden)
        self.D = nnx.Linear(n_in, n_hidden, rngs=rngs)

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        return jnp.zeros((*input_shape[:-1], self.n_hidden), jnp.complex64)

    def __call__(self, s, x):
        decay = jnp.exp(-jnp.exp(self.nu[...]) + 1j * self.theta[...])
        s = decay * s + x @ self.B[...]
        return s, jnp.tanh((s @ self.C[...]).real + self.D(x))
