"""The truncated gradient of 1997 with an error at every step, for many trials at once.

Forward accumulation as in `models.lstm97.online`; the weights change at the end of a sequence, or
after every step of it.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from models.lstm97 import forward as net97
from models.lstm97 import online
from models.lstm97.forward import LITERAL, Reading, State, Weights


class Running(NamedTuple):
    """What goes from step to step.

    Attributes:
        changed: the weights with all changes up to now.
        state: of the nets.
        traces: ds/dw.
        outputs: `[T, n_out, trials]`, activations of the output units; zero at steps to come.
    """

    changed: Weights
    state: State
    traces: online.Traces
    outputs: jax.Array


def follow(
    weights: Weights,
    inputs: jax.Array,
    lengths: jax.Array,
    targets: jax.Array,
    rates: jax.Array,
    at_once: bool,
    reading: Reading = LITERAL,
) -> tuple[jax.Array, Weights]:
    """One sequence of every trial, with a teacher signal at each of its steps.

    Args:
        weights: of one network per trial.
        inputs: numbers, `[T, n_in, trials]`.
        lengths: `[trials]` int32.
        targets: `[T, n_out, trials]`.
        rates: `[trials]`, learning rates.
        at_once: whether every step goes with the weights that the step before has changed.
        reading: what is not literal.

    Returns:
        Activations of the output units `[T, n_out, trials]` when they were compared with the
        targets, zero behind the longest sequence, and the changed weights.
    """

    def one(time, now: Running) -> Running:
        used = now.changed if at_once else weights
        x, target, alive = inputs[time], targets[time], time < lengths
        u = net97.units(now.state)
        state, squashed = net97.step(used, net97.drive(used, x[None])[0], now.state, u, reading)
        traces = online.add(now.traces, x[None], u, online.net_slopes(state, squashed))
        y = net97.readout(used, state, reading, x)
        e = online.errors(used, state, y, target, reading)
        gradient = online.assign(used, x, u, state, traces, e)
        change = jax.tree.map(lambda d: jnp.where(alive, -rates * d, 0), gradient)
        return Running(
            jax.tree.map(jnp.add, now.changed, change),
            net97.hold(alive, state, now.state),
            traces,
            now.outputs.at[time].set(y),
        )

    start = Running(
        weights,
        net97.start(weights, lengths, reading.reset),
        online.no_traces(weights, lengths),
        jnp.zeros_like(targets),
    )
    end = jax.lax.fori_loop(0, jnp.max(lengths), one, start)
    return end.outputs, end.changed


def outputs(
    weights: Weights,
    inputs: jax.Array,
    lengths: jax.Array,
    reading: Reading = LITERAL,
) -> jax.Array:
    """Activations of the output units at every step.

    Args:
        weights: of one network per sequence, or of a single network (a trial axis of 1).
        inputs: numbers, `[T, n_in, trials]`, one sequence per trial.
        lengths: `[trials]` int32.
        reading: what is not literal.

    Returns:
        `[T, n_out, trials]`; of no meaning behind a sequence's end, zero behind the longest one's.
    """

    def one(time, now):
        state, outputs = now
        driven = net97.drive(weights, inputs[time][None])[0]
        state, _ = net97.step(weights, driven, state, net97.units(state), reading)
        y = net97.readout(weights, state, reading, inputs[time])
        return state, outputs.at[time].set(y)

    shape = len(inputs), weights.readout.shape[1], len(lengths)
    start = net97.start(weights, lengths, reading.reset), jnp.zeros(shape, weights.readout.dtype)
    return jax.lax.fori_loop(0, jnp.max(lengths), one, start)[1]
