"""The network of experiments 2a and 2b, and when its memory cell joins it."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from models.lstm97.net import LOGISTIC_G, G, Squash, uniform


class LagNetwork97(nnx.Module):
    r"""Inputs feed the outputs directly, and a single memory cell beside them.

    With the logistic function for both the input gate and g, and the identity for h:

    .. math::

        s_t &= s_{t-1} + \sigma(w_{in} x_t) \, \sigma(w_c x_t) \\
        net_t &= W x_t + w \, s_t

    Nothing but the state recurs, so the truncated gradient and the full one are the same.

    Attributes:
        hidden: `[n_in, 2]`, weights of the input gate and of the cell.
        direct: `[n_in, n_out]`, W.
        kernel: `[n_out]`, w.
        g: squashes the net input of the cell.
    """

    def __init__(
        self, n_in: int, n_out: int, init_range: float, rngs: nnx.Rngs, g: Squash = LOGISTIC_G
    ):
        draw, self.g = uniform(init_range), g
        self.hidden = nnx.Param(draw(rngs.params(), (n_in, 2)))  # FIDELITY L10
        self.direct = nnx.Param(draw(rngs.params(), (n_in, n_out)))
        self.kernel = nnx.Param(draw(rngs.params(), (n_out,)))

    def __call__(
        self, inputs: jax.Array, length: jax.Array, grown: jax.Array | float = 1.0
    ) -> jax.Array:
        """Runs over one sequence.

        Args:
            inputs: `[T, n_in]`, one-hot.
            length: `[]` int, not needed: nothing at or after it reaches a step before it.
            grown: `[]`, 1 with and 0 without the memory cell; without it the weights of cell and
                gate, and those from the cell, have no effect and a gradient of zero.

        Returns:
            Net inputs of the output units, `[T, n_out]`.
        """
        symbols = _symbols(inputs)
        s = grown * jnp.cumsum(self._added(symbols))  # FIDELITY L12
        return self.direct[symbols] + s[:, None] * self.kernel

    def last(
        self, inputs: jax.Array, length: jax.Array, grown: jax.Array | float = 1.0
    ) -> jax.Array:
        """As `__call__`, after the last step only, `[n_out]`."""
        symbols = _symbols(inputs)
        alive = jnp.arange(len(inputs)) < length
        s = grown * jnp.sum(jnp.where(alive, self._added(symbols), 0))
        return self.direct[symbols[length - 1]] + s * self.kernel

    def _added(self, symbols: jax.Array) -> jax.Array:
        """What each symbol adds to the state."""
        net = self.hidden[symbols].T
        return jax.nn.sigmoid(net[0]) * self.g.activate(net[1])


def _symbols(inputs: jax.Array) -> jax.Array:
    """Numbers of one-hot inputs: a product with these picks a row; `argmax` takes longer."""
    return jnp.int32(inputs @ jnp.arange(inputs.shape[-1], dtype=inputs.dtype))


class GrowthState(NamedTuple):
    """How the first phase goes.

    Attributes:
        total: `[]`, sum of the errors in the window that is being filled.
        filled: `[]` int32, number of them.
        previous: `[]`, mean error of the window before; infinite until there is one.
        grown: `[]` bool, whether the memory cell has joined; never taken back.
    """

    total: jax.Array
    filled: jax.Array
    previous: jax.Array
    grown: jax.Array


@dataclass(frozen=True)
class Growth:
    """When the error has stopped decreasing, so that the memory cell joins.

    Training errors are averaged over consecutive windows of sequences. The cell joins at the end
    of the first window whose mean is not below `1 - decrease` times the mean before.

    Attributes:
        window: number of sequences in a window.
        decrease: smallest relative decrease that counts as one.
    """

    window: int = 100
    decrease: float = 0.05

    def init(self) -> GrowthState:
        """State before the first sequence."""
        return GrowthState(
            jnp.zeros(()), jnp.zeros((), jnp.int32), jnp.full((), jnp.inf), jnp.array(False)
        )

    def observe(self, state: GrowthState, error: jax.Array) -> GrowthState:
        """State after one more training sequence with this error, `[]`."""
        total, count = state.total + error, state.filled + 1
        full, mean = count == self.window, total / self.window
        stalled = mean >= (1 - self.decrease) * state.previous  # FIDELITY L11
        return GrowthState(
            jnp.where(full, 0.0, total),
            jnp.where(full, 0, count),
            jnp.where(full, mean, state.previous),
            state.grown | (full & stalled),
        )


@dataclass(frozen=True)
class LagNet97:
    """Recipe of the network of experiments 2a and 2b.

    Attributes:
        init_range: r; initial weights are uniform in [-r, r].
        growth: when the memory cell joins.
    """

    init_range: float = 0.2
    growth: Growth = Growth()

    batched = False
    g = LOGISTIC_G

    def build(self, n_in: int, n_out: int, rngs: nnx.Rngs) -> LagNetwork97:
        """A freshly initialised network; weights depend on `rngs` only."""
        return LagNetwork97(n_in, n_out, self.init_range, rngs, self.g)


@dataclass(frozen=True)
class CentredLagNet97(LagNet97):
    """As `LagNet97`, with the g of all other experiments, from -2 to 2, equation (5)."""

    g = G
