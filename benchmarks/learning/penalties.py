"""Penalties on how a net carries its state, or an error back: each is added to the loss of a batch.

States and errors are `[T, ..., H]`: h_t, and the derivative of the loss by it, after each step.
"""

from dataclasses import dataclass
from typing import Protocol

import jax
import jax.numpy as jnp

from benchmarks.errors import UsageError

REACHED = 1e-10  # FIDELITY D1
TINY = 1e-15  # of a norm whose derivative is wanted


class Reversible(Protocol):
    """A cell with one recurrent matrix, which can take an error one step back."""

    def back(self, h: jax.Array, error: jax.Array) -> jax.Array:
        """The error by the old state from that by the new one, h, all `[..., H]`."""


@dataclass(frozen=True)
class _Penalty:
    """What all have.

    Attributes:
        strength: what the penalty is multiplied by, 0 or more.
    """

    strength: float = 1.0

    def __post_init__(self):
        if not self.strength >= 0:
            name = type(self).__name__
            raise UsageError(f"the strength of {name} must be 0 or more, not {self.strength:g}")


@dataclass(frozen=True)
class Omega(_Penalty):
    r"""Asks that an error neither grow nor vanish in a step back (Pascanu et al. 2013, eq. 9, 10).

    .. math::

        \Omega = \operatorname{mean}_t \left( \left| \frac{\partial L}{\partial h_{t+1}}
        \frac{\partial h_{t+1}}{\partial h_t} \right| \middle/
        \left| \frac{\partial L}{\partial h_{t+1}} \right| - 1 \right)^2

    over all steps of a batch that an error reaches. States and errors are held fixed: what is
    differentiated is the recurrent matrix in :math:`\partial h_{t+1} / \partial h_t` alone.
    """

    strength: float = 2.0  # of the authors' code

    def of_errors(
        self, cell: Reversible, states: jax.Array, errors: jax.Array, alive: jax.Array
    ) -> jax.Array:
        """The penalty `[]`, before its strength; `alive` `[T, ...]` marks steps that count."""
        size = _norm(errors)
        ratio = _norm(cell.back(states, errors / size[..., None]))
        reached = alive & (size >= REACHED)
        return jnp.sum((ratio - 1) ** 2, where=reached) / jnp.maximum(reached.sum(), 1)


@dataclass(frozen=True)
class NormStabiliser(_Penalty):
    r"""Asks that the state keep its norm from step to step (Krueger & Memisevic 2016).

    .. math::

        \operatorname{mean}_t (|h_t| - |h_{t-1}|)^2

    over the steps of each sequence, but for the first (D2 of docs/FIDELITY.md).
    """

    def of_states(self, states: jax.Array, alive: jax.Array) -> jax.Array:
        """The penalty `[]`, before its strength; `alive` `[T, ...]` marks steps that count."""
        steps = alive[1:]  # FIDELITY D2
        change = jnp.sum(jnp.diff(_norm(states), axis=0) ** 2, 0, where=steps)
        return jnp.mean(change / jnp.maximum(steps.sum(0), 1))


def _norm(vectors: jax.Array) -> jax.Array:
    """Euclidean norms; constant, rather than without a derivative, at zero."""
    return jnp.sqrt(jnp.maximum(jnp.sum(vectors**2, -1), TINY**2))


Penalty = Omega | NormStabiliser
