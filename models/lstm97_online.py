"""The truncated gradient of 1997 by its own forward recursion, for many trials at once.

The same numbers as `jax.grad` through `models.lstm97`, for a teacher signal at the last step of
each sequence only. What is carried forward is ds/dw, equations (25) and (27); nothing is carried
back. Units are in the order of `LSTM97`: output gates, input gates, cells block by block.

Arrays are features first, trials last, and products are sums over sources written out, because
loops over contiguous trials are what XLA turns into vector instructions.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from models.lstm97 import g, h


class Weights(NamedTuple):
    """Weights of the networks of many trials; also their gradient.

    Attributes:
        inputs: `[n_in, H, trials]`, from, to.
        hidden: `[H, H, trials]`, from, to.
        bias: `[n_biased, trials]` of the first `n_biased` units, or None.
        readout: `[cells, n_out, trials]`, from, to.
        readout_bias: `[n_out, trials]` or None.
    """

    inputs: jax.Array
    hidden: jax.Array
    bias: jax.Array | None
    readout: jax.Array
    readout_bias: jax.Array | None


def from_params(params: nnx.State) -> Weights:
    """Weights of `Net97` networks whose arrays have a leading trial axis."""
    last = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), nnx.to_pure_dict(params))
    cell, readout = last["cell"], last["readout"]
    return Weights(
        cell["W_x"], cell["W_h"], cell.get("b"), readout["kernel"], readout.get("bias")
    )


def to_params(weights: Weights, like: nnx.State) -> nnx.State:
    """Inverse of `from_params`; `like` lends its structure."""
    nested = {
        "cell": {"W_x": weights.inputs, "W_h": weights.hidden, "b": weights.bias},
        "readout": {"kernel": weights.readout, "bias": weights.readout_bias},
    }
    leaves = [jnp.moveaxis(leaf, -1, 0) for leaf in jax.tree.leaves(nested)]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


class Activity(NamedTuple):
    """What one time step leaves; gates are repeated for each of their cells.

    Attributes:
        y_out: `[cells, trials]`.
        y_in: `[cells, trials]`.
        squashed: `[cells, trials]`, g(net_c).
        s: `[cells, trials]`, states.
        u: `[H, trials]`, activations of all hidden units.
    """

    y_out: jax.Array
    y_in: jax.Array
    squashed: jax.Array
    s: jax.Array
    u: jax.Array


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
        new = _step(weights, drive, *state)
        return _hold(alive, new, state), None

    alive = jnp.arange(len(inputs))[:, None] < lengths
    start = _start(weights, lengths)
    (s, u), _ = jax.lax.scan(step, start, (_drive(weights, inputs), alive))
    return _outputs(weights, u[-len(s) :])


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
    last, times = lengths - 1, jnp.arange(len(inputs))[:, None]

    def step(carry, now):
        state, traces = carry
        drive, early = now
        new = _step(weights, drive, *state)
        slopes = jnp.where(early, _slopes(new), 0)
        traces += slopes * state[1][:, None]
        return (_hold(early, new, state), traces), slopes

    s, u = _start(weights, lengths)
    traces = jnp.zeros((len(u), 2 * len(s), len(lengths)), s.dtype)
    scanned = _drive(weights, inputs), times < last
    ((s, u), traces), slopes = jax.lax.scan(step, ((s, u), traces), scanned)

    # The last step of each trial, by itself: only here is there an error.
    x = jnp.take_along_axis(inputs, jnp.expand_dims(last, range(inputs.ndim - 1)), 0)
    end = _step(weights, _drive(weights, x)[0], s, u)
    slope = _slopes(end)
    traces += slope * u[:, None]
    slopes = jnp.where(times[..., None] == last, slope, slopes)

    y_c, y = end.u[-len(s) :], _outputs(weights, end.u[-len(s) :])
    e = y * (1 - y) * (targets - y)  # (19)
    back = jnp.sum(weights.readout * e, 1)
    B = _blocks(weights); per_block = B, len(s) // B, len(lengths)
    e_out = jnp.sum((end.y_out * (1 - end.y_out) * h(end.s) * back).reshape(per_block), 1)  # (21), with f'
    e_s = end.y_out * (1 - h(end.s) ** 2) / 2 * back  # (23)
    def assign(sources, traces):  # (22), (26), (28)
        to_in, to_cell = jnp.split(traces * jnp.concatenate([e_s, e_s]), 2, -2)
        to_in = jnp.sum(to_in.reshape(-1, *per_block), 2)
        return -jnp.concatenate([sources[:, None] * e_out, to_in, to_cell], 1)
    n_in = len(weights.inputs)
    n_b = 0 if weights.bias is None else len(weights.bias)
    xx = x[0] if x.ndim == 3 else (x[0] == jnp.arange(n_in)[:, None]) * jnp.ones((), s.dtype)
    return y, Weights(
        assign(xx, _collect(inputs, slopes, n_in)),
        assign(u, traces),
        None if not n_b else assign(jnp.ones_like(u[:1]), jnp.sum(slopes, 0)[None])[0, :n_b],
        -y_c[:, None] * e,
        None if weights.readout_bias is None else -e,
    )


def _blocks(weights): 
    return (len(weights.hidden) - len(weights.readout)) // 2

def _start(weights, lengths):
    make = lambda n: jnp.zeros((n, len(lengths)), weights.hidden.dtype)
    return make(len(weights.readout)), make(len(weights.hidden))

def _drive(weights, inputs):
    if jnp.issubdtype(inputs.dtype, jnp.integer):
        net = jnp.take_along_axis(weights.inputs, inputs[:, None], 0, mode="promise_in_bounds")
    else:
        net = sum(w * x[:, None] for w, x in zip(weights.inputs, jnp.moveaxis(inputs, 1, 0)))
    if weights.bias is not None:
        net += jnp.pad(weights.bias, ((0, len(weights.hidden) - len(weights.bias)), (0, 0)))
    return net

def _collect(inputs, slopes, n_in):
    if jnp.issubdtype(inputs.dtype, jnp.integer):
        return jnp.zeros((n_in, *slopes.shape[1:]), slopes.dtype).at[inputs, :, jnp.arange(inputs.shape[1])].add(jnp.swapaxes(slopes, 1, 2), mode="promise_in_bounds")
    return jnp.stack([jnp.sum(slopes * x[:, None], 0) for x in jnp.moveaxis(inputs, 1, 0)])

def _step(weights, drive, s, u):
    net = drive + sum(w * y for w, y in zip(weights.hidden, u))
    B = _blocks(weights)
    gates = jax.nn.sigmoid(net[:2*B])
    y_out, y_in = jnp.split(jnp.repeat(gates, len(s) // B, 0), 2)
    squashed = g(net[2*B:])
    s = s + y_in * squashed
    return Activity(y_out, y_in, squashed, s, jnp.concatenate([gates, y_out * h(s)]))

def _slopes(a):
    return jnp.concatenate([a.squashed * a.y_in * (1 - a.y_in), a.y_in * (1 - a.squashed**2 / 4)])

def _hold(alive, new, state):
    s, u = state
    return jnp.where(alive, new.s, s), jnp.where(alive, new.u, u)

def _outputs(weights, y_c):
    net = sum(w * y for w, y in zip(weights.readout, y_c))
    return jax.nn.sigmoid(net if weights.readout_bias is None else net + weights.readout_bias)
