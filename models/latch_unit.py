"""The smallest nets that can keep a bit: one tanh unit, three weights, no readout."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx

from models.network import Network

SELF_WEIGHT = 1.25
"""Initial weight of the unit to itself; above 1 it has two attractors."""
LARGEST = 0.5
"""Other weights start uniformly in [-0.5, 0.5)."""


class LatchUnit(nnx.RNNCellBase):
    r"""Variant II of the latch problem (Schmidhuber, Hochreiter & Bengio 2001).

    .. math::

        y_t = \tanh(w y_{t-1} + u x_t + b)

    Weights: 3.

    Attributes:
        carried: names of the vectors of the carry.
        batched: leading axes of carry and input are batch, whichever there are.
        w: `[]`, from the unit to itself.
        u: `[1]`, from the input.
        b: `[1]`, bias.
    """

    carried = ("y",)
    batched = True
    n_in = 1

    def __init__(self, rngs: nnx.Rngs):
        self.w = nnx.Param(jnp.asarray(SELF_WEIGHT, jnp.float32))  # FIDELITY T28
        self.u = _small(1, rngs)
        self.b = _small(1, rngs)

    @property
    def num_feature_axes(self) -> int:
        """Number of trailing axes of an input that are features rather than batch."""
        return 1

    def initialize_carry(
        self,
        input_shape: tuple[int, ...],
        rngs: nnx.Rngs | nnx.RngStream | None = None,
        carry_init: nnx.Initializer | None = None,
    ) -> jax.Array:
        """The unit before the first step, zero, `[..., 1]` for an input `[..., n_in]`."""
        del rngs, carry_init
        return jnp.zeros((*input_shape[:-1], 1), self.w.dtype)

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (y `[..., 1]`, x `[..., n_in]`) -> (new y, new y)."""
        y = jnp.tanh(self.w * carry + self.driven(x))
        return y, y

    def driven(self, x: jax.Array) -> jax.Array:
        """What the inputs `[..., 1]` add to the net input, `[..., 1]`."""
        return x * self.u + self.b


class LatchUnitI(LatchUnit):
    r"""Variant I: trainable first inputs, one for each class, and noise that is added as it is.

    With inputs :math:`x = (c_1, c_2, n)`, the class in the first step and the noise in all others
    (`tasks.latch.LatchI`):

    .. math::

        y_t = \tanh(w y_{t-1} + u_1 c_1 + u_2 c_2 + n)

    Weights: 3.

    Attributes:
        w: `[]`, from the unit to itself.
        u: `[2]`, first input of each class.
    """

    n_in = 3

    def __init__(self, rngs: nnx.Rngs):
        self.w = nnx.Param(jnp.asarray(SELF_WEIGHT, jnp.float32))  # FIDELITY T28
        self.u = _small(2, rngs)

    def driven(self, x: jax.Array) -> jax.Array:
        """What the inputs `[..., 3]` add to the net input, `[..., 1]`."""
        return jnp.sum(x[..., :2] * self.u, -1, keepdims=True) + x[..., 2:]


def _small(count: int, rngs: nnx.Rngs) -> nnx.Param:
    """Small random weights `[count]`."""
    draw = jax.random.uniform(rngs.params(), (count,), jnp.float32, -LARGEST, LARGEST)
    return nnx.Param(draw)  # FIDELITY T28


@dataclass(frozen=True)
class LatchNet:
    """A net that is one unit: its output is the activation of the unit itself.

    For learners with linear outputs, which pass it on as it is.

    Attributes:
        cell: `LatchUnit` or `LatchUnitI`.
    """

    cell: type[LatchUnit] = LatchUnit

    growth = None
    batched = True

    def build(self, n_in: int, n_out: int, rngs: nnx.Rngs) -> Network:
        """A fresh network; weights depend on `rngs` only."""
        if (n_in, n_out) != (self.cell.n_in, 1):
            raise ValueError(
                f"{self.cell.__name__} has {self.cell.n_in} inputs and 1 output, "
                f"not {n_in} and {n_out}"
            )
        return Network(self.cell(rngs), _itself)


def _itself(y: jax.Array) -> jax.Array:
    return y
