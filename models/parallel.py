"""Linear recurrences, whose steps need not wait for one another."""

import jax
import jax.numpy as jnp


@jax.custom_vjp
def linear_recurrence(decay: jax.Array, push: jax.Array) -> jax.Array:
    r"""States of :math:`s_t = a_t \odot s_{t-1} + b_t` from :math:`s_0 = 0`, one per step.

    The way back is such a recurrence, too, from the last step to the first. On a CPU the steps run
    one by one, as that is faster there; elsewhere as an associative scan (Blelloch 1990).

    Args:
        decay: a, `[T, ...]`, real or complex.
        push: b, likewise.

    Returns:
        s, `[T, ...]`.
    """
    return jax.lax.platform_dependent(decay, push, cpu=one_by_one, default=all_at_once)


def one_by_one(decay: jax.Array, push: jax.Array) -> jax.Array:
    """`linear_recurrence` as a loop over the steps."""

    def step(state, now):
        state = now[0] * state + now[1]
        return state, state

    return jax.lax.scan(step, jnp.zeros_like(push[0]), (decay, push))[1]


def all_at_once(decay: jax.Array, push: jax.Array) -> jax.Array:
    """`linear_recurrence` in a number of rounds that grows with the logarithm of the steps."""

    def join(first, then):
        """Two stretches of steps, each an affine map of the state before it, as one."""
        (a, b), (c, d) = first, then
        return a * c, c * b + d

    return jax.lax.associative_scan(join, (decay, push))[1]


def _forward(decay, push):
    states = linear_recurrence(decay, push)
    return states, (decay, states)


def _backward(saved, slope):
    decay, states = saved
    following = _shifted(decay[1:], (0, 1))
    total = linear_recurrence(following[::-1], slope[::-1])[::-1]
    return total * _shifted(states[:-1], (1, 0)), total


def _shifted(series: jax.Array, missing: tuple[int, int]) -> jax.Array:
    """A series with zeros where the step before the first, or after the last, is missing."""
    return jnp.pad(series, [missing] + [(0, 0)] * (series.ndim - 1))


linear_recurrence.defvjp(_forward, _backward)


def held(alive: jax.Array, decay: jax.Array, push: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Factors and summands that keep the state where a sequence has ended.

    Args:
        alive: `[T, ...]` bool, whether a step belongs to its sequence.
        decay: `[T, ..., H]`, or what broadcasts to it.
        push: `[T, ..., H]`.

    Returns:
        Both, `[T, ..., H]`.
    """
    alive = alive.reshape(alive.shape + (1,) * (push.ndim - alive.ndim))
    return jnp.where(alive, decay, 1), jnp.where(alive, push, 0)
