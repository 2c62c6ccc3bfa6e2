"""Real-time recurrent learning: the exact gradient, carried forwards (Williams & Zipser 1989).

For logistic units that see the inputs and each other. The derivative of every unit by every weight
goes from step to step, so nothing is stored and nothing runs backwards; but with n units and m
inputs a step costs n^3 (n + m) operations, O(n^4), where backpropagation through time costs O(n^2).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Units(NamedTuple):
    """Units after a step, and what a change of their weights would have made of them.

    Attributes:
        y: `[n]`, activations.
        by_weight: `[n, m + n, n]`; how unit k (first axis) changes with the weight from source j
            (inputs, then units) to unit i.
    """

    y: jax.Array
    by_weight: jax.Array


def start(n_in: int, W_h: jax.Array) -> Units:
    """Before a sequence: no activation, and no weight has had an effect."""
    n = len(W_h)
    return Units(jnp.zeros(n, W_h.dtype), jnp.zeros((n, n_in + n, n), W_h.dtype))


def step(W_x: jax.Array, W_h: jax.Array, x: jax.Array, units: Units) -> Units:
    """The units one step later.

    Args:
        W_x: `[m, n]`, weights from the inputs.
        W_h: `[n, n]`, weights from the units.
        x: `[m]`, inputs.
        units: one step earlier.
    """
    y = jax.nn.sigmoid(x @ W_x + units.y @ W_h)
    sources = jnp.concatenate([x, units.y])
    through_units = jnp.tensordot(W_h.T, units.by_weight, 1)
    itself = sources[None, :, None] * jnp.eye(len(y), dtype=y.dtype)[:, None]
    return Units(y, (y * (1 - y))[:, None, None] * (through_units + itself))


def assign(units: Units, back: jax.Array, n_in: int) -> tuple[jax.Array, jax.Array]:
    """Minus the derivatives of the error of a step by all weights.

    Args:
        units: after the step.
        back: `[n]`, minus the derivative of the error by their activations.
        n_in: m.

    Returns:
        By `W_x` `[m, n]` and by `W_h` `[n, n]`.
    """
    by_weight = jnp.tensordot(back, units.by_weight, 1)
    return by_weight[:n_in], by_weight[n_in:]
