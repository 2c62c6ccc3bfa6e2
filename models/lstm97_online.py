"""The truncated gradient of 1997 by its own forward recursion, for many trials at once.

The same numbers as `jax.grad` through `models.lstm97`, where the only teacher signal comes at the
last step of a sequence. What is carried along is ds/dw, equations (25) and (27): nothing runs
backwards, and memory does not grow with the length of the sequences.

Arrays are features first, trials last, and products are written out as sums over sources, since
loops over contiguous trials are what XLA turns into vector instructions. Hidden units are in the
order of `LSTM97`: output gates, input gates, cells block by block.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from models.lstm97 import g, h

CHUNK = 128
"""Most steps whose net inputs and slopes are in memory at a time; more of them miss the cache."""


class Weights(NamedTuple):
    """Weights of the networks of many trials; also their gradient.

    Attributes:
        inputs: `[n_in, H, trials]`, from, to.
        hidden: `[H, H, trials]`, from, to.
        bias: `[n_biased, trials]` of the first `n_biased` hidden units, or None.
        readout: `[cells, n_out, trials]`, from, to.
        readout_bias: `[n_out, trials]` or None.
    """

    inputs: jax.Array
    hidden: jax.Array
    bias: jax.Array | None
    readout: jax.Array
    readout_bias: jax.Array | None


def from_params(params: nnx.State) -> Weights:
    """Weights of networks built by `Net97`, whose arrays have a leading trial axis."""
    last = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), nnx.to_pure_dict(params))
    cell, readout = last["cell"], last["readout"]
    return Weights(
        cell["W_x"], cell["W_h"], cell.get("b"), readout["kernel"], readout.get("bias")
    )


def to_params(weights: Weights, like: nnx.State) -> nnx.State:
    """Inverse of `from_params`; `like` lends its structure, not its numbers."""
    nested = {
        "cell": {"W_x": weights.inputs, "W_h": weights.hidden, "b": weights.bias},
        "readout": {"kernel": weights.readout, "bias": weights.readout_bias},
    }
    leaves = [jnp.moveaxis(leaf, -1, 0) for leaf in jax.tree.leaves(nested)]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def outputs(weights: Weights, inputs: jax.Array, lengths: jax.Array) -> jax.Array:
    """Activations of the output units at the last step of each sequence.

    Args:
        weights: of one network per sequence, or of a single network (a trial axis of 1).
        inputs: `[T, n_in, trials]`, or symbols `[T, trials]` int32 that stand for one-hot inputs.
        lengths: `[trials]` int32, between 1 and T.

    Returns:
        `[n_out, trials]`.
    """

    def step(state, now):
        drive, alive = now
        return _hold(alive, _step(weights, drive, state, _units(state))[0], state), None

    def chunk(state, now):
        xs, times = now
        return jax.lax.scan(step, state, (_drive(weights, xs), times < lengths))

    state, _ = jax.lax.scan(chunk, _start(weights, lengths), _chunks(inputs))
    return _readout(weights, state)


def gradient(
    weights: Weights, inputs: jax.Array, lengths: jax.Array, targets: jax.Array
) -> tuple[jax.Array, Weights]:
    """Outputs at the last step of each sequence, and the truncated gradient of the error there.

    Args:
        weights: of one network per trial.
        inputs: `[T, n_in, trials]`, or symbols `[T, trials]` int32 that stand for one-hot inputs.
        lengths: `[trials]` int32, between 1 and T.
        targets: `[n_out, trials]`, at the last step.

    Returns:
        Activations of the output units `[n_out, trials]`, and the gradient of half the squared
        error, shaped like `weights`.
    """
    last = lengths - 1
    state, traces = _run(weights, inputs, last)
    # The last step of each trial stands alone: only there is an error, and only there do the
    # weights of the output gates matter to it.
    x = jnp.take_along_axis(inputs, jnp.expand_dims(last, range(inputs.ndim - 1)), 0)
    u = _units(state)
    state, slopes = _step(weights, _drive(weights, x)[0], state, u)
    traces = _extend(traces, x, u, slopes[None])
    y = _readout(weights, state)
    e = y * (1 - y) * (targets - y)  # (19)
    return y, _assign(weights, state, e, _dense(weights, x)[0], u, traces)


class _State(NamedTuple):
    """What one step leaves for the next: cells `s [cells, trials]`, `gates [2 blocks, trials]`."""

    s: jax.Array
    gates: jax.Array


class _Traces(NamedTuple):
    """ds/dw by source of w, each `[..., 2 cells, trials]`: w to the input gate, w to the cell."""

    inputs: jax.Array
    hidden: jax.Array
    bias: jax.Array


def _run(weights: Weights, inputs: jax.Array, last: jax.Array) -> tuple[_State, _Traces]:
    """State and traces of each trial before its last step."""

    def step(carry, now):
        state, hidden = carry
        drive, early = now
        u = _units(state)
        new, slopes = _step(weights, drive, state, u)
        slopes = jnp.where(early, slopes, 0)
        return (_hold(early, new, state), hidden + slopes * u[:, None]), slopes

    def chunk(carry, now):
        state, traces = carry
        xs, times = now
        scanned = _drive(weights, xs), times < last
        (state, hidden), slopes = jax.lax.scan(step, (state, traces.hidden), scanned)
        # Inputs are known beforehand, so their traces need not be touched at every step.
        return (state, _extend_inputs(traces, xs, slopes)._replace(hidden=hidden)), None

    return jax.lax.scan(chunk, (_start(weights, last), _no_traces(weights, last)), _chunks(inputs))[0]
