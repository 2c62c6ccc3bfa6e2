"""A user's cell, as a file that knows nothing of the project."""

import jax.numpy as jnp
from flax import nnx


class Leaky(nnx.RNNCellBase):
    """Leaky integrator: works."""

    def __init__(self, n_in, n_hidden, *, rngs):
        self.n_hidden = n_hidden
        self.inner = nnx.Linear(n_in + n_hidden, n_hidden, rngs=rngs)

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        return jnp.zeros((*input_shape[:-1], self.n_hidden))

    def __call__(self, carry, x):
        h = 0.9 * carry + 0.1 * jnp.tanh(self.inner(jnp.concatenate([x, carry], -1)))
        return h, h


class WrongOutput(Leaky):
    """Gives an output of another size than it has hidden units."""

    def __call__(self, carry, x):
        return carry, jnp.concatenate([carry, x], -1)


class WrongCarry(Leaky):
    """Changes the shape of its carry."""

    def __call__(self, carry, x):
        return jnp.concatenate([carry, x], -1), carry


class Crashing(Leaky):
    """Raises at the first step."""

    def __call__(self, carry, x):
        raise RuntimeError("out of order\nwith a second line")


class NoRngs(nnx.RNNCellBase):
    """Cannot be made with `rngs`."""

    def __init__(self, n_in, n_hidden):
        pass
