"""The truncated gradient of 1997 by its own forward recursion, for many trials at once.

The same numbers as `jax.grad` through `models.lstm97.net`, where the only teacher signal comes at
the last step of a sequence. What is carried along is ds/dw, equations (25) and (27): nothing runs
backwards, and memory does not grow with the length of the sequences.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from models.lstm97 import forward as net97
from models.lstm97.forward import LITERAL, Reading, State, Weights
from models.lstm97.net import G
from models.lstm97.summation import add_at, scatter_at

MANY_SYMBOLS = 512
"""The traces of more symbols than this are added to faster by a scatter."""


class Traces(NamedTuple):
    """ds/dw by source of w. An axis of 2 * cells is w to the cell's input gate, then to the cell.

    Attributes:
        inputs: `[n_in, trials, 2 * cells]`, so that what one symbol adds to is contiguous.
        hidden: `[H, 2 * cells, trials]`.
        bias: `[2 * cells, trials]`.
    """

    inputs: jax.Array
    hidden: jax.Array
    bias: jax.Array


class Errors(NamedTuple):
    """e of the paper: minus the derivative of half the squared error by net inputs and states.

    Attributes:
        outputs: `[n_out, trials]`.
        output_gates: `[blocks, trials]`.
        states: `[cells, trials]`.
    """

    outputs: jax.Array
    output_gates: jax.Array
    states: jax.Array


def gradient(
    weights: Weights,
    inputs: jax.Array,
    lengths: jax.Array,
    targets: jax.Array,
    reading: Reading = LITERAL,
) -> tuple[jax.Array, Weights]:
    """Outputs at the last step of each sequence, and the truncated gradient of the error there.

    Args:
        weights: of one network per trial.
        inputs: numbers `[T, n_in, trials]` or symbols `[T, trials]`.
        lengths: `[trials]` int32, between 1 and T.
        targets: `[n_out, trials]`, at the last step.
        reading: what is not literal.

    Returns:
        Activations of the output units `[n_out, trials]`, and the gradient of half the squared
        error, shaped like `weights`.
    """
    last = lengths - 1
    moving = _start(weights, last, reading.reset)
    state, traces = _run_up(weights, inputs, moving, reading)
    # The last step of each trial, by itself: the only one with an error, hence also the only
    # one at which weights to the output gates matter.
    x = jnp.take_along_axis(inputs, jnp.expand_dims(last, range(inputs.ndim - 1)), 0)
    u = net97.units(state)
    state, squashed = net97.step(weights, net97.drive(weights, x)[0], state, u, reading)
    traces = add(traces, x, u, net_slopes(state, squashed))
    if net97.is_symbols(x):
        x = (x == jnp.arange(len(weights.inputs))[:, None])[None]
    y = net97.readout(weights, state, reading, x[0])
    e = errors(weights, state, y, targets, reading)
    return y, assign(weights, x[0], u, state, traces, e)


def _run_up(
    weights: Weights, inputs: jax.Array, moving: "Moving", reading: Reading
) -> tuple[State, Traces]:
    """State and traces of each trial before its last step."""
    over = _over_symbols if net97.is_symbols(inputs) else _over_numbers
    return over(weights, inputs, moving, reading)


def _over_numbers(
    weights: Weights, inputs: jax.Array, moving: "Moving", reading: Reading
) -> tuple[State, Traces]:
    # Inputs are few: one loop does everything, and nothing but the inputs is read from afar.
    def one(now, following):
        moving, x, traces = now
        sources = _sources(moving, x)
        moving, slopes = _advance(weights, net97.drive(weights, x[None])[0], moving, reading)
        return (moving, following, _add_step(traces, sources, slopes)), None

    first = inputs[0]
    start = moving, first, _nothing_yet(weights, _sources(moving, first))
    (moving, _, traces), _ = jax.lax.scan(one, start, jnp.roll(inputs, -1, 0))
    of_inputs, bias, *hidden = (jnp.concatenate(pair, 1) for pair in traces)
    return moving.state, Traces(jnp.swapaxes(of_inputs, 1, 2), jnp.concatenate(hidden), bias[0])


def _over_symbols(
    weights: Weights, inputs: jax.Array, moving: "Moving", reading: Reading
) -> tuple[State, Traces]:
    def one(now, following):
        moving, driven, traces = now
        sources = _sources(moving)
        moving, slopes = _advance(weights, driven, moving, reading)
        return (moving, following, _add_step(traces, sources, slopes)), slopes

    def chunk(now, symbols):
        # Behind the end of the longest sequence nothing happens any more.
        going_on = jnp.any(now[0].left > 0)
        return jax.lax.cond(going_on, advance, lambda now, _: now, now, symbols), None

    def advance(now, symbols):
        moving, hidden, traces = now
        first = net97.drive(weights, symbols[:1])[0]
        followers = net97.drive(weights, jnp.roll(symbols, -1, 0))
        (moving, _, hidden), slopes = jax.lax.scan(one, (moving, first, hidden), followers)
        # Inputs are known beforehand: their traces can wait until the end of the chunk.
        return moving, hidden, add_inputs(traces, symbols, jnp.concatenate(slopes, 1))

    start = moving, _nothing_yet(weights, _sources(moving)), no_traces(weights, moving.left)
    chunks, _ = net97.chunks(inputs)
    moving, hidden, traces = jax.lax.scan(chunk, start, chunks)[0]
    joined = [jnp.concatenate(pair, 1) for pair in hidden]
    return moving.state, traces._replace(hidden=jnp.concatenate(joined))


# What the loops over steps carry is kept in vectors of their own, and the inputs of the next step
# are carried along: of arrays that are joined or picked from, the compiler makes numbers singly.


class Moving(NamedTuple):
    """State of the nets in a loop over steps.

    Attributes:
        s: `[cells, trials]`.
        gates: `[2 * blocks, trials]`.
        y: `[cells, trials]`, activations of the cells.
        left: `[trials]` int32, number of steps before the last one.
    """

    s: jax.Array
    gates: jax.Array
    y: jax.Array
    left: jax.Array

    @property
    def state(self) -> State:
        """That of the nets."""
        return State(self.s, self.gates, self.y)


Pair = tuple[jax.Array, jax.Array]
"""Traces `[sources, cells, trials]` of weights to input gates, and of weights to cells."""


def _start(weights: Weights, last: jax.Array, reset: float) -> Moving:
    return Moving(*net97.start(weights, last, reset), last)


def _sources(moving: Moving, *inputs: jax.Array) -> list[jax.Array]:
    """Where weights begin: of numbers the inputs and biases, then gates and cells."""
    ones = [jnp.ones_like(x[:1]) for x in inputs]
    return [*inputs, *ones, moving.gates, moving.y]


def _nothing_yet(weights: Weights, sources: list[jax.Array]) -> list[Pair]:
    """The traces before the first step."""
    cells, trials, dtype = len(weights.readout), weights.hidden.shape[-1], weights.hidden.dtype
    traces = [jnp.zeros((len(source), cells, trials), dtype) for source in sources]
    return [(t, t) for t in traces]


def _advance(
    weights: Weights, driven: jax.Array, now: Moving, reading: Reading
) -> tuple[Moving, Pair]:
    """One step of trials that have some left; the slopes of input gates and of cells, else 0."""
    new, squashed = net97.step(weights, driven, now.state, [*now.gates, *now.y], reading)
    early = now.left > 0
    of_gates, of_cells = (jnp.where(early, slope, 0) for slope in _both_slopes(new, squashed))
    held = net97.hold(early, Moving(*new, now.left - 1), now)
    return held, (of_gates, of_cells)


def _add_step(traces: list[Pair], sources: list[jax.Array], slopes: Pair) -> list[Pair]:
    """Traces after one more step, by source."""
    # Behind the barrier slopes are numbers; without it, they are made again for every trace.
    of_gates, of_cells = jax.lax.optimization_barrier(slopes)
    return [
        (to_gates + of_gates * source[:, None], to_cells + of_cells * source[:, None])
        for (to_gates, to_cells), source in zip(traces, sources, strict=True)
    ]


def no_traces(weights: Weights, lengths: jax.Array) -> Traces:
    """The traces before the first step."""
    n_in, H, trials = len(weights.inputs), len(weights.hidden), len(lengths)
    twice = 2 * len(weights.readout)
    shapes = (n_in, trials, twice), (H, twice, trials), (twice, trials)
    return Traces(*(jnp.zeros(shape, weights.hidden.dtype) for shape in shapes))


def net_slopes(state: State, squashed: jax.Array) -> jax.Array:
    """ds/dnet of input gates and cells, the factors of (25) and (27); `[2 * cells, trials]`."""
    return jnp.concatenate(_both_slopes(state, squashed))


def _both_slopes(state: State, squashed: jax.Array) -> tuple[jax.Array, jax.Array]:
    y_in = net97.y_in(state)
    return squashed * y_in * (1 - y_in), y_in * G.slope(squashed)


def add(traces: Traces, x: jax.Array, u: jax.Array, slopes: jax.Array) -> Traces:
    """Traces after one more step, with inputs x `[1, n_in, trials]` or symbols `[1, trials]`."""
    traces = add_inputs(traces, x, slopes[None])
    return traces._replace(hidden=traces.hidden + slopes * u[:, None])


def add_inputs(traces: Traces, inputs: jax.Array, slopes: jax.Array) -> Traces:
    """Traces of inputs and biases after steps with slopes `[T, 2 * cells, trials]`."""
    if net97.is_symbols(inputs):
        added = add_rows(traces.inputs, inputs, jnp.swapaxes(slopes, 1, 2))
    else:
        columns = [jnp.sum(slopes * x[:, None], 0).T for x in jnp.moveaxis(inputs, 1, 0)]
        added = traces.inputs + jnp.stack(columns)
    return traces._replace(inputs=added, bias=traces.bias + jnp.sum(slopes, 0))


def add_rows(traces: jax.Array, symbols: jax.Array, slopes: jax.Array) -> jax.Array:
    """Adds slopes `[T, trials, n]` to the rows `[n_in, trials, n]` of symbols `[T, trials]`."""
    trials = jnp.broadcast_to(jnp.arange(symbols.shape[1], dtype=symbols.dtype), symbols.shape)
    add = scatter_at if len(traces) > MANY_SYMBOLS else add_at
    return add(traces, (symbols.ravel(), trials.ravel()), slopes.reshape(-1, slopes.shape[2]))


def errors(
    weights: Weights,
    state: State,
    y: jax.Array,
    targets: jax.Array,
    reading: Reading = LITERAL,
) -> Errors:
    """Errors at a step with outputs y and targets `[n_out, trials]`."""
    e = reading.output.slope(y) * (targets - y)  # (19), FIDELITY L8
    back = jnp.sum(weights.readout * e, 1)
    y_out, squashed = net97.y_out(state), reading.h.activate(state.s)
    return Errors(
        e,
        net97.per_block(state, y_out * (1 - y_out) * squashed * back),  # (21)
        y_out * reading.h.slope(squashed) * back,  # (23)
    )


def assign(
    weights: Weights, x: jax.Array, u: jax.Array, state: State, traces: Traces, e: Errors
) -> Weights:
    """Shares errors out among the weights, equations (22), (26) and (28).

    Args:
        weights: as ever.
        x: `[n_in, trials]`, inputs of the last step.
        u: `[H, trials]`, activations of the hidden units before it.
        state: after it.
        traces: after it.
        e: of it.
    """

    def to_hidden(source, trace):
        to_gate, to_cell = jnp.split(trace * jnp.tile(e.states, (2, 1)), 2, -2)
        to_output_gate = source[..., None, :] * e.output_gates
        return -jnp.concatenate([to_output_gate, net97.per_block(state, to_gate), to_cell], -2)

    biased = 0 if weights.bias is None else len(weights.bias)
    return Weights(
        to_hidden(x, jnp.swapaxes(traces.inputs, 1, 2)),
        to_hidden(u, traces.hidden),
        to_hidden(jnp.ones_like(u[0]), traces.bias)[:biased] if biased else None,
        -state.y[:, None] * e.outputs,
        None if weights.readout_bias is None else -e.outputs,
        None if weights.direct is None else -(x[:, None] * e.outputs),
    )
