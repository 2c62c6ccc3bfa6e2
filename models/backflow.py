"""What a cell can be put into to change, or to see, what flows back through it."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx


class _Inside(nnx.RNNCellBase):
    """A cell around another one.

    Attributes:
        cell: the cell inside.
    """

    def __init__(self, cell: nnx.RNNCellBase):
        self.cell: Any = cell

    @property
    def num_feature_axes(self) -> int:
        """Number of trailing axes of an input that are features rather than batch."""
        return 1


class Windowed(_Inside):
    """A cell whose carry is held constant, for the gradient, at the border of each window.

    Windows are stretches of so many steps from the first step on. With the step that comes next,
    the carry is that of the cell inside.
    """

    def __init__(self, cell: nnx.RNNCellBase, window: int):
        super().__init__(cell)
        self.window = window

    def initialize_carry(self, input_shape, rngs=None, carry_init=None) -> tuple[jax.Array, Any]:
        """(0, the carry of the cell inside); arguments as of `models.cell.Cell`."""
        inside = self.cell.initialize_carry(input_shape, rngs, carry_init)
        return jnp.zeros(input_shape[:-1], jnp.int32), inside

    def __call__(self, carry: tuple[jax.Array, Any], x: jax.Array):
        """One step of the cell inside; the forward pass is its own."""
        step, inside = carry
        border = step % self.window == 0

        def held(leaf: jax.Array) -> jax.Array:
            here = border.reshape(border.shape + (1,) * (leaf.ndim - border.ndim))
            return jnp.where(here, jax.lax.stop_gradient(leaf), leaf)

        inside, y = self.cell(jax.tree.map(held, inside), x)
        return (step + 1, inside), y


class Nudged(_Inside):
    """A cell to whose new state an offset is added: the derivative by it is that by the state.

    For cells whose output is their carry. An input is that of the cell inside and then the offset,
    `[..., n_in + H]`.
    """

    def initialize_carry(self, input_shape, rngs=None, carry_init=None) -> jax.Array:
        """The carry of the cell inside."""
        n_in = input_shape[-1] - self.cell.hidden_features
        return self.cell.initialize_carry((*input_shape[:-1], n_in), rngs, carry_init)

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x and offset) -> (new h, new h)."""
        n_in = x.shape[-1] - self.cell.hidden_features
        h = self.cell(carry, x[..., :n_in])[0] + x[..., n_in:]
        return h, h
