"""The full gradient of the nets of 1997 by backpropagation through time, for many trials at once.

The same numbers as `jax.grad` through `models.lstm97.net` with `truncate=False`, where the only
teacher signal comes at the last step of a sequence. Errors go back through the gates' and cells'
recurrent connections, too, which the paper cuts off; what it calls e stays its name.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from models.lstm97 import forward as net97
from models.lstm97.forward import LITERAL, Reading, State, Weights
from models.lstm97.net import G
from models.lstm97.online import add_rows


class Step(NamedTuple):
    """What the way back needs of a step.

    Attributes:
        gates_before: `[2 * blocks, trials]`, activations that the step began with.
        y_before: `[cells, trials]`, likewise.
        gates: `[2 * blocks, trials]`, those that it ended with; output gates first.
        g: `[cells, trials]`, squashed net inputs of the cells.
        h: `[cells, trials]`, squashed states.
    """

    gates_before: jax.Array
    y_before: jax.Array
    gates: jax.Array
    g: jax.Array
    h: jax.Array


class Errors(NamedTuple):
    """Minus the derivative of half the squared error by what a step leaves for the next.

    Attributes:
        gates: `[2 * blocks, trials]`, by activations.
        y: `[cells, trials]`, by activations.
        s: `[cells, trials]`, by states.
    """

    gates: jax.Array
    y: jax.Array
    s: jax.Array


def gradient(
    weights: Weights,
    inputs: jax.Array,
    lengths: jax.Array,
    targets: jax.Array,
    reading: Reading = LITERAL,
) -> tuple[jax.Array, Weights]:
    """As `online.gradient`, arguments and results, but the gradient is the full one."""
    # Steps behind the end are made, too, but no error comes from there.
    steps = _forwards(weights, inputs, lengths, reading)
    last = (lengths - 1)[None, None]
    gates, squashed = (jnp.take_along_axis(a, last, 0)[0] for a in (steps.gates, steps.h))
    end = State(squashed, gates, squashed)
    end = end._replace(y=net97.y_out(end) * squashed)
    y = net97.readout(weights, end, reading)
    e = reading.output.slope(y) * (targets - y)  # (19), FIDELITY L8
    hidden, by_net = _backwards(weights, steps, last[0], jnp.sum(weights.readout * e, 1), reading)
    biased = 0 if weights.bias is None else len(weights.bias)
    shares = Weights(
        _of_inputs(weights, inputs, by_net),
        hidden,
        jnp.sum(by_net, 0)[:biased] if biased else None,
        end.y[:, None] * e,
        None if weights.readout_bias is None else e,
    )
    return y, jax.tree.map(jnp.negative, shares)


def _forwards(weights: Weights, inputs: jax.Array, lengths: jax.Array, reading: Reading) -> Step:
    """All steps, `[T, ...]`."""

    def one(state, driven):
        new, squashed = net97.step(weights, driven, state, [*state.gates, *state.y], reading)
        return new, Step(state.gates, state.y, new.gates, squashed, reading.h.activate(new.s))

    start = net97.start(weights, lengths, reading.reset)
    return jax.lax.scan(one, start, net97.drive(weights, inputs))[1]


def _backwards(
    weights: Weights, steps: Step, last: jax.Array, at_end: jax.Array, reading: Reading
) -> tuple[jax.Array, jax.Array]:
    """Errors from the last step back to the first.

    Args:
        weights: as ever.
        steps: of `_forwards`.
        last: `[1, trials]`, the number of the last step.
        at_end: `[cells, trials]`, errors of the cells' activations after it.
        reading: what is not literal.

    Returns:
        What the errors change in `weights.hidden`, and errors by net input `[T, H, trials]`.
    """
    n_gates = steps.gates.shape[1]
    to_gates, to_cells = weights.hidden[:n_gates], weights.hidden[n_gates:]

    def one(now, following):
        errors, (from_gates, from_cells) = now
        step, ends = following
        state = State(step.h, step.gates, step.y_before)
        y_in, y_out = net97.y_in(state), net97.y_out(state)
        e_y = errors.y + jnp.where(ends, at_end, 0)
        e_s = errors.s + e_y * y_out * reading.h.slope(step.h)
        e_gates = errors.gates + jnp.concatenate(
            [net97.per_block(state, e_y * step.h), net97.per_block(state, e_s * step.g)]
        )
        by_gates = e_gates * step.gates * (1 - step.gates)
        by_cells = e_s * y_in * G.slope(step.g)
        by_net = jnp.concatenate([by_gates, by_cells])
        before = Errors(_sent(to_gates, by_net), _sent(to_cells, by_net), e_s)
        changes = (
            from_gates + step.gates_before[:, None] * by_net,
            from_cells + step.y_before[:, None] * by_net,
        )
        return (before, changes), by_net

    nothing = Errors(jnp.zeros_like(steps.gates[0]), *[jnp.zeros_like(at_end)] * 2)
    start = nothing, (jnp.zeros_like(to_gates), jnp.zeros_like(to_cells))
    ends = jnp.arange(len(steps.g))[:, None, None] == last
    (_, changes), by_net = jax.lax.scan(one, start, (steps, ends), reverse=True)
    return jnp.concatenate(changes), by_net


def _sent(weights: jax.Array, by_net: jax.Array) -> jax.Array:
    """Errors by activation, `[from, trials]`, of weights `[from, to, trials]`."""
    return sum(w * e for w, e in zip(jnp.moveaxis(weights, 1, 0), by_net, strict=True))


def _of_inputs(weights: Weights, inputs: jax.Array, by_net: jax.Array) -> jax.Array:
    """What errors by net input change in `weights.inputs`."""
    if not net97.is_symbols(inputs):
        columns = jnp.moveaxis(inputs, 1, 0)
        return jnp.stack([jnp.sum(x[:, None] * by_net, 0) for x in columns])
    n_in, H, trials = weights.inputs.shape
    nothing = jnp.zeros((n_in, trials, H), by_net.dtype)
    return jnp.swapaxes(add_rows(nothing, inputs, jnp.swapaxes(by_net, 1, 2)), 1, 2)
