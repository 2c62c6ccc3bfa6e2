"""`Net97` networks of many trials at once, with features first and trials last.

Products are written out as sums over sources, since loops over contiguous trials are what XLA
turns into vector instructions. Hidden units are in the order of `LSTM97`: output gates, input
gates, cells block by block. Inputs are either numbers `[T, n_in, trials]`, or symbols
`[T, trials]` of an integer type, each from 0 to n_in - 1, that stand for one-hot inputs; a symbol
costs the same whatever n_in is.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from flax import nnx

from models.lstm97.net import H, Squash, g

CHUNK = 128
"""Most steps whose net inputs are in memory at a time; with more of them the cache is missed."""


class Weights(NamedTuple):
    """Weights of the networks of many trials; also their gradient.

    Attributes:
        inputs: `[n_in, H, trials]`, from, to.
        hidden: `[H, H, trials]`, from, to.
        bias: `[n_biased, trials]` of the first `n_biased` hidden units, or None.
        readout: `[cells, n_out, trials]`, from, to.
        readout_bias: `[n_out, trials]` or None.
        direct: `[n_in, n_out, trials]`, from inputs to output units, or None.
    """

    inputs: jax.Array
    hidden: jax.Array
    bias: jax.Array | None
    readout: jax.Array
    readout_bias: jax.Array | None
    direct: jax.Array | None = None


Held = TypeVar("Held")


class State(NamedTuple):
    """What one step leaves for the next.

    Attributes:
        s: `[cells, trials]`.
        gates: `[2 * blocks, trials]`, activations of the output gates, then of the input gates.
        y: `[cells, trials]`, activations of the cells.
    """

    s: jax.Array
    gates: jax.Array
    y: jax.Array


class Output(NamedTuple):
    """A kind of output unit.

    Attributes:
        activate: net input -> activation y.
        slope: y -> what the difference of target and y is multiplied with in the unit's error e.
    """

    activate: Callable[[jax.Array], jax.Array]
    slope: Callable[[jax.Array], jax.Array]


LOGISTIC = Output(jax.nn.sigmoid, lambda y: y * (1 - y))
"""The output units of the paper, equation (19)."""
PLAIN_DELTA = Output(jax.nn.sigmoid, jnp.ones_like)
"""Logistic units whose error leaves out the derivative."""
LINEAR = Output(lambda net: net, jnp.ones_like)
"""Linear units."""


class Reading(NamedTuple):
    """What some readings of the paper have in another way.

    Attributes:
        output: kind of the output units.
        reset: activations of gates and cells before the first step.
        h: squashes the state of a cell.
    """

    output: Output = LOGISTIC
    reset: float = 0.0
    h: Squash = H


LITERAL = Reading()


def from_params(params: nnx.State) -> Weights:
    """Weights of networks built by `Net97`, whose arrays have a leading trial axis."""
    last = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), nnx.to_pure_dict(params))
    cell, readout = last["cell"], last["readout"]
    return Weights(
        cell["W_x"],
        cell["W_h"],
        cell.get("b"),
        readout["kernel"],
        readout.get("bias"),
        readout.get("direct"),
    )


def to_params(weights: Weights, like: nnx.State) -> nnx.State:
    """Inverse of `from_params`; `like` lends its structure, not its numbers."""
    nested = {
        "cell": {"W_x": weights.inputs, "W_h": weights.hidden, "b": weights.bias},
        "readout": {
            "kernel": weights.readout,
            "bias": weights.readout_bias,
            "direct": weights.direct,
        },
    }
    leaves = [jnp.moveaxis(leaf, -1, 0) for leaf in jax.tree.leaves(nested)]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def outputs(
    weights: Weights,
    inputs: jax.Array,
    lengths: jax.Array,
    reading: Reading = LITERAL,
) -> jax.Array:
    """Activations of the output units at the last step of each sequence.

    Args:
        weights: of one network per sequence, or of a single network (a trial axis of 1); without
            shortcuts.
        inputs: numbers or symbols, one sequence per trial.
        lengths: `[trials]` int32, between 1 and T.
        reading: what is not literal.

    Returns:
        `[n_out, trials]`.
    """

    def one(state, now):
        net, alive = now
        return hold(alive, step(weights, net, state, units(state), reading)[0], state), None

    def chunk(state, now):
        x, times = now
        return jax.lax.scan(one, state, (drive(weights, x), times < lengths))

    end = jax.lax.scan(chunk, start(weights, lengths, reading.reset), chunks(inputs))[0]
    return readout(weights, end, reading)


def start(weights: Weights, lengths: jax.Array, reset: float) -> State:
    """The state before the first step: s is zero, activations have the value of the reset."""
    H, cells = len(weights.hidden), len(weights.readout)
    activations = jnp.full((H, len(lengths)), reset, weights.hidden.dtype)
    y = activations[:cells]
    return State(jnp.zeros_like(y), activations[cells:], y)


def chunks(inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Inputs `[chunks, steps, ...]`, padded at the end, and times `[chunks, steps, 1]`."""
    T = len(inputs)
    count = -(-T // CHUNK)
    steps = -(-T // count)
    padding = [(0, count * steps - T)] + [(0, 0)] * (inputs.ndim - 1)
    inputs = jnp.pad(inputs, padding).reshape(count, steps, *inputs.shape[1:])
    return inputs, jnp.arange(count * steps).reshape(count, steps, 1)


def is_symbols(inputs: jax.Array) -> bool:
    """Whether inputs are symbols."""
    return jnp.issubdtype(inputs.dtype, jnp.integer)


def drive(weights: Weights, inputs: jax.Array) -> jax.Array:
    """What inputs and biases add to the net inputs of the hidden units, `[T, H, trials]`."""
    if is_symbols(inputs):
        net = jnp.take_along_axis(weights.inputs, inputs[:, None], 0, mode="promise_in_bounds")
    else:
        columns = jnp.moveaxis(inputs, 1, 0)
        net = sum(w * x[:, None] for w, x in zip(weights.inputs, columns, strict=True))
    if weights.bias is not None:
        net += jnp.pad(weights.bias, ((0, net.shape[1] - len(weights.bias)), (0, 0)))
    return net


def step(
    weights: Weights,
    driven: jax.Array,
    state: State,
    u: Iterable[jax.Array],
    reading: Reading = LITERAL,
) -> tuple[State, jax.Array]:
    """One step of `LSTM97`.

    Args:
        weights: of all trials, or of one network.
        driven: `[H, trials]`, what `drive` gives for this step.
        state: of the step before.
        u: `units(state)`, or its rows.
        reading: what is not literal.

    Returns:
        The new state, and g(net_c) `[cells, trials]`.
    """
    net = driven + sum(w * source for w, source in zip(weights.hidden, u, strict=True))
    n_gates = len(state.gates)
    gates, squashed = jax.nn.sigmoid(net[:n_gates]), g(net[n_gates:])
    new = state._replace(gates=gates)
    s = state.s + y_in(new) * squashed
    return State(s, gates, y_out(new) * reading.h.activate(s)), squashed


def hold(alive: jax.Array, new: Held, old: Held) -> Held:
    """The new state where a trial is alive, `[trials]` bool, else the old one."""
    return jax.tree.map(lambda a, b: jnp.where(alive, a, b), new, old)


def y_out(state: State) -> jax.Array:
    """Output gate of each cell, `[cells, trials]`."""
    return _per_cell(state, state.gates[: len(state.gates) // 2])


def y_in(state: State) -> jax.Array:
    """Input gate of each cell, `[cells, trials]`."""
    return _per_cell(state, state.gates[len(state.gates) // 2 :])


def units(state: State) -> jax.Array:
    """Activations of all hidden units, `[H, trials]`."""
    return jnp.concatenate([state.gates, state.y])


def per_block(state: State, of_cells: jax.Array) -> jax.Array:
    """Sums over the cells of a block, along the last axis but one."""
    *lead, cells, trials = of_cells.shape
    blocks = len(state.gates) // 2
    return jnp.sum(of_cells.reshape(*lead, blocks, cells // blocks, trials), -2)


def readout(
    weights: Weights, state: State, reading: Reading = LITERAL, x: jax.Array | None = None
) -> jax.Array:
    """Activations of the output units, `[n_out, trials]`; x `[n_in, trials]` is for shortcuts."""
    net = sum(w * y for w, y in zip(weights.readout, state.y, strict=True))
    if weights.direct is not None:
        assert x is not None  # `Shortcuts97` is for programs that give it
        net += jnp.sum(weights.direct * x[:, None], 0)
    return reading.output.activate(
        net if weights.readout_bias is None else net + weights.readout_bias
    )


def _per_cell(state: State, of_blocks: jax.Array) -> jax.Array:
    return jnp.repeat(of_blocks, len(state.s) // len(of_blocks), 0)
