"""Quickprop (Fahlman 1988): each weight jumps to the minimum of a parabola through two slopes."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class QuickpropState(NamedTuple):
    """The slope by each weight at its last step, and that step; zero before the first."""

    slope: jax.Array
    step: jax.Array


def init(weights: jax.Array) -> QuickpropState:
    """No step yet."""
    return QuickpropState(jnp.zeros_like(weights), jnp.zeros_like(weights))


def update(
    slope: jax.Array, state: QuickpropState, epsilon: float | jax.Array, mu: float
) -> QuickpropState:
    """The next step of weights whose error has these slopes.

    The jump is at most `mu` times the last step, also where the parabola has no minimum; as long as
    it still goes down, `epsilon` times the slope is added.

    Args:
        slope: derivatives of the error.
        state: of the step before.
        epsilon: rate of the plain gradient.
        mu: largest growth of a step.

    Returns:
        The new state; its `step` is to be added to the weights.
    """
    # Seen along the last step, the slope is negative while it still goes down.
    along, before = jnp.sign(state.step) * slope, jnp.sign(state.step) * state.slope
    far = along <= mu / (1 + mu) * before
    bend = jnp.where(before == along, jnp.finfo(slope.dtype).tiny, before - along)
    jump = jnp.where(far, mu, jnp.clip(along / bend, -mu, mu)) * state.step
    plain = jnp.where((along < 0) | (state.step == 0), -epsilon * slope, 0)
    return QuickpropState(slope, jnp.where(state.step == 0, 0, jump) + plain)
