"""What the recurrent layers of the rivals share: logistic units that see inputs and units."""

import jax
import jax.numpy as jnp
from flax import nnx

from models.lstm97.net import uniform


class LogisticUnits(nnx.RNNCellBase):
    """Weights and the state before the first step; what a step is, subclasses say.

    Attributes:
        carried: names of the vectors of the carry.
        W_x: `[m, n]`, from m inputs to n units.
        W_h: `[n, n]`.
    """

    carried = ("u",)

    def __init__(self, n_in: int, units: int, init_range: float, rngs: nnx.Rngs):
        draw = uniform(init_range)
        self.W_x = nnx.Param(draw(rngs.params(), (n_in, units)))
        self.W_h = nnx.Param(draw(rngs.params(), (units, units)))

    def initialize_carry(
        self,
        input_shape: tuple[int, ...],
        rngs: nnx.Rngs | nnx.RngStream | None = None,
        carry_init: nnx.Initializer | None = None,
    ) -> jax.Array:
        """Units before the first step, zero, `[..., n]` for an input `[..., m]`."""
        del rngs, carry_init
        return jnp.zeros((*input_shape[:-1], len(self.W_h)), self.W_h.dtype)

    @property
    def num_feature_axes(self) -> int:
        """Number of trailing axes of an input that are features rather than batch."""
        return 1
