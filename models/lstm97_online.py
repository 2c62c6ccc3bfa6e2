"""The truncated gradient of 1997 by its own forward recursion, for many trials at once.

The same numbers as `jax.grad` through `models.lstm97`, where the only teacher signal comes at the
last step of a sequence. What is carried along is ds/dw, equations (25) and (27): nothing runs
backwards, and memory does not grow with the length of the sequences.

Arrays are features first, trials last, and products are written out as sums over sources, since
loops over contiguous trials are what XLA turns into vector instructions.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from models.lstm97 import g, h
from models.lstm97_weights import Weights

CHUNK = 256
"""Most steps whose net inputs and slopes are in memory at a time; more would miss the cache."""


class State(NamedTuple):
    """What one step leaves for the next; all other activations follow from it.

    Attributes:
        s: `[cells, trials]`.
        gates: `[2 * blocks, trials]`, activations of the output gates, then of the input gates.
    """

    s: jax.Array
    gates: jax.Array


class Traces(NamedTuple):
    """ds/dw by the source of w; the axis of 2 * cells is w to the input gate, then w to the cell.

    Attributes:
        inputs: `[n_in, trials, 2 * cells]`; what a symbol of one trial adds to is contiguous.
        hidden: `[H, 2 * cells, trials]`.
        bias: `[2 * cells, trials]`.
    """

    inputs: jax.Array
    hidden: jax.Array
    bias: jax.Array


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
        x, times = now
        return jax.lax.scan(step, state, (_drive(weights, x), times < lengths))

    return _readout(weights, jax.lax.scan(chunk, _start(weights, lengths), _chunks(inputs))[0])


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
    state, traces = _run_up(weights, inputs, last)
    # The last step of each trial, by itself: the only one with an error, hence also the only
    # one at which the weights to the output gates matter.
    x = jnp.take_along_axis(inputs, jnp.expand_dims(last, range(inputs.ndim - 1)), 0)
    u = _units(state)
    state, slopes = _step(weights, _drive(weights, x)[0], state, u)
    traces = _accumulate(traces, x, slopes[None])
    traces = traces._replace(hidden=traces.hidden + slopes * u[:, None])
    y = _readout(weights, state)
    e = y * (1 - y) * (targets - y)  # (19)
    return y, _assign(weights, _dense(weights, x), u, state, traces, e)


def _run_up(weights: Weights, inputs: jax.Array, last: jax.Array) -> tuple[State, Traces]:
    """State and traces of each trial before step `last`."""

    def step(carry, now):
        state, traces = carry
        drive, early = now
        u = _units(state)
        new, slopes = _step(weights, drive, state, u)
        slopes = jnp.where(early, slopes, 0)
        return (_hold(early, new, state), traces + slopes * u[:, None]), slopes

    def chunk(carry, now):
        state, traces = carry
        x, times = now
        within = _drive(weights, x), times < last
        (state, hidden), slopes = jax.lax.scan(step, (state, traces.hidden), within)
        # Inputs are known beforehand: their traces can wait until the end of the chunk.
        return (state, _accumulate(traces._replace(hidden=hidden), x, slopes)), None

    start = _start(weights, last), _no_traces(weights, last)
    return jax.lax.scan(chunk, start, _chunks(inputs))[0]


def _step(
    weights: Weights, drive: jax.Array, state: State, u: jax.Array
) -> tuple[State, jax.Array]:
    """One step from activations `u`; also ds/dnet of input gates and cells, `[2 cells, trials]`."""
    net = drive + sum(w * source for w, source in zip(weights.hidden, u, strict=True))
    n_gates = len(state.gates)
    gates, squashed = jax.nn.sigmoid(net[:n_gates]), g(net[n_gates:])
    y_in = _per_cell(state, gates[n_gates // 2 :])
    to_gate, to_cell = squashed * y_in * (1 - y_in), y_in * (1 - squashed**2 / 4)  # (25), (27)
    return State(state.s + y_in * squashed, gates), jnp.concatenate([to_gate, to_cell])


def _assign(
    weights: Weights,
    x: jax.Array,
    u: jax.Array,
    state: State,
    traces: Traces,
    e: jax.Array,
) -> Weights:
    """Gradient of half the squared error.

    Args:
        weights: as ever.
        x: `[n_in, trials]`, inputs of the last step.
        u: `[H, trials]`, activations of the hidden units before it.
        state: after the last step.
        traces: after the last step.
        e: `[n_out, trials]`, minus the derivative of the error by the outputs' net inputs.
    """
    y_out, squashed = _per_cell(state, state.gates[: len(state.gates) // 2]), h(state.s)
    back = jnp.sum(weights.readout * e, 1)
    e_s = y_out * (1 - squashed**2) / 2 * back  # (23)
    e_out = _per_block(state, y_out * (1 - y_out) * squashed * back)  # (21)

    def to_hidden(source, trace):
        to_gate, to_cell = jnp.split(trace * jnp.concatenate([e_s, e_s]), 2, -2)
        to_gate = _per_block(state, to_gate)
        ours = -jnp.concatenate([source[..., None, :] * e_out, to_gate, to_cell], -2)
        return ours  # (22), (26), (28)

    bias = weights.bias
    if bias is not None:
        bias = to_hidden(jnp.ones_like(e[0]), traces.bias)[: len(bias)]
    return Weights(
        to_hidden(x, jnp.swapaxes(traces.inputs, 1, 2)),
        to_hidden(u, traces.hidden),
        bias,
        -(y_out * squashed)[:, None] * e,
        None if weights.readout_bias is None else -e,
    )


def _units(state: State) -> jax.Array:
    """Activations of all hidden units, `[H, trials]`."""
    return jnp.concatenate([state.gates, _cells(state)])


def _cells(state: State) -> jax.Array:
    """Activations of the cells, `[cells, trials]`."""
    return _per_cell(state, state.gates[: len(state.gates) // 2]) * h(state.s)


def _readout(weights: Weights, state: State) -> jax.Array:
    net = sum(w * y for w, y in zip(weights.readout, _cells(state), strict=True))
    return jax.nn.sigmoid(net if weights.readout_bias is None else net + weights.readout_bias)


def _drive(weights: Weights, inputs: jax.Array) -> jax.Array:
    """What inputs and biases add to the net inputs of the hidden units, `[T, H, trials]`."""
    if _is_symbols(inputs):
        net = jnp.take_along_axis(weights.inputs, inputs[:, None], 0, mode="promise_in_bounds")
    else:
        net = sum(w * x[:, None] for w, x in zip(weights.inputs, _columns(inputs), strict=True))
    if weights.bias is not None:
        net += jnp.pad(weights.bias, ((0, net.shape[1] - len(weights.bias)), (0, 0)))
    return net


def _accumulate(traces: Traces, inputs: jax.Array, slopes: jax.Array) -> Traces:
    """Adds steps with inputs `[T, ...]` and slopes `[T, 2 cells, trials]` to the traces."""
    if _is_symbols(inputs):
        row = traces.inputs.at[inputs, jnp.arange(inputs.shape[1])]
        added = row.add(jnp.swapaxes(slopes, 1, 2), mode="promise_in_bounds")
    else:
        columns = [jnp.sum(slopes * x[:, None], 0).T for x in _columns(inputs)]
        added = traces.inputs + jnp.stack(columns)
    return traces._replace(inputs=added, bias=traces.bias + jnp.sum(slopes, 0))


def _dense(weights: Weights, x: jax.Array) -> jax.Array:
    """Inputs of a single step, `[n_in, trials]`."""
    if _is_symbols(x):
        return jnp.asarray(x == jnp.arange(len(weights.inputs))[:, None], weights.inputs.dtype)
    return x[0]


def _is_symbols(inputs: jax.Array) -> bool:
    return jnp.issubdtype(inputs.dtype, jnp.integer)


def _columns(inputs: jax.Array) -> jax.Array:
    return jnp.moveaxis(inputs, 1, 0)


def _chunks(inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Inputs `[chunks, steps, ...]` and times `[chunks, steps, 1]`, padded as little as can be."""
    T = len(inputs)
    count = -(-T // CHUNK)
    steps = -(-T // count)
    padding = [(0, count * steps - T)] + [(0, 0)] * (inputs.ndim - 1)
    inputs = jnp.pad(inputs, padding).reshape(count, steps, *inputs.shape[1:])
    return inputs, jnp.arange(count * steps).reshape(count, steps, 1)


def _per_cell(state: State, of_blocks: jax.Array) -> jax.Array:
    """Repeats what a block has once for each of its cells, along the first axis."""
    return jnp.repeat(of_blocks, 2 * len(state.s) // len(state.gates), 0)


def _per_block(state: State, of_cells: jax.Array) -> jax.Array:
    """Sums over the cells of a block, along the last axis but one."""
    *lead, _, trials = of_cells.shape
    blocks = len(state.gates) // 2
    return jnp.sum(of_cells.reshape(*lead, blocks, len(state.s) // blocks, trials), -2)


def _hold(alive: jax.Array, new: State, old: State) -> State:
    return jax.tree.map(lambda a, b: jnp.where(alive, a, b), new, old)


def _start(weights: Weights, lengths: jax.Array) -> State:
    H, cells = len(weights.hidden), len(weights.readout)
    zeros = jnp.zeros((H, len(lengths)), weights.hidden.dtype)
    return State(zeros[:cells], zeros[cells:])


def _no_traces(weights: Weights, lengths: jax.Array) -> Traces:
    n_in, H, trials = len(weights.inputs), len(weights.hidden), len(lengths)
    twice = 2 * len(weights.readout)
    shapes = Traces((n_in, trials, twice), (H, twice, trials), (twice, trials))
    return Traces(*(jnp.zeros(shape, weights.hidden.dtype) for shape in shapes))
