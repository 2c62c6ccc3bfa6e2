"""The net of 2000 on sequences whose only teacher signal comes at their last step."""

import jax
import jax.numpy as jnp

from models.lstm00 import online
from models.lstm00.online import State, Weights
from models.lstm97.forward import LOGISTIC, Output, hold, is_symbols


def gradient(
    weights: Weights,
    inputs: jax.Array,
    lengths: jax.Array,
    targets: jax.Array,
    blocks: int,
    output: Output = LOGISTIC,
) -> tuple[jax.Array, Weights]:
    """Outputs at the last step of each sequence, and the truncated gradient of the error there.

    Args:
        weights: of one network per trial.
        inputs: numbers `[T, n_in, trials]` or symbols `[T, trials]`.
        lengths: `[trials]` int32, between 1 and T.
        targets: `[n_out, trials]`, at the last step.
        blocks: number of blocks.
        output: kind of the output units.

    Returns:
        Activations of the output units `[n_out, trials]`, and the gradient of half the squared
        error, shaped like `weights`.
    """
    state, x = _last(weights, inputs, lengths, blocks)
    y = online.outputs(weights, state, x, output)
    return y, online.assign(weights, state, x, y, targets, blocks, output)


def outputs(
    weights: Weights,
    inputs: jax.Array,
    lengths: jax.Array,
    blocks: int,
    output: Output = LOGISTIC,
) -> jax.Array:
    """Activations of the output units at the last step of each sequence, `[n_out, trials]`.

    Arguments as of `gradient`; weights of a single network (a trial axis of 1) serve all.
    """
    trials = len(lengths)
    wide = jax.tree.map(lambda w: jnp.broadcast_to(w, (*w.shape[:-1], trials)), weights)
    state, x = _last(wide, inputs, lengths, blocks)
    return online.outputs(wide, state, x, output)


def _last(
    weights: Weights, inputs: jax.Array, lengths: jax.Array, blocks: int
) -> tuple[State, jax.Array]:
    """State and inputs `[n_in, trials]` of each sequence's last step."""
    n_in = len(weights.hidden) - (weights.hidden.shape[1] - len(weights.bias))

    def step(now, following):
        x, alive = following
        if is_symbols(x):
            x = (x == jnp.arange(n_in)[:, None]).astype(weights.hidden.dtype)
        return hold(alive, (online.advance(weights, now[0], x, blocks), x), now), None

    start = online.start(weights, blocks), jnp.zeros((n_in, len(lengths)), weights.hidden.dtype)
    alive = jnp.arange(len(inputs))[:, None] < lengths
    return jax.lax.scan(step, start, (inputs, alive))[0]
