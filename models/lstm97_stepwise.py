"""The truncated gradient of 1997 with an error at every step, for many trials at once.

Forward accumulation as in `models.lstm97_online`, with weights that change after every step of a
sequence while it goes on.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from models import lstm97_forward as net97
from models import lstm97_online as online
from models.lstm97_forward import State, Weights


class Running(NamedTuple):
    """What goes from step to step.

    Attributes:
        weights: as they are now.
        state: of the nets.
        traces: ds/dw.
    """

    weights: Weights
    state: State
    traces: online.Traces


def follow(
    weights: Weights,
    inputs: jax.Array,
    lengths: jax.Array,
    targets: jax.Array,
    rates: jax.Array,
) -> tuple[jax.Array, Weights]:
    """One sequence of every trial, with a teacher signal at each of its steps.

    Args:
        weights: of one network per trial.
        inputs: numbers, `[T, n_in, trials]`.
        lengths: `[trials]` int32.
        targets: `[T, n_out, trials]`.
        rates: `[trials]`, learning rates.

    Returns:
        Activations of the output units `[T, n_out, trials]` when they were compared with the
        targets, and the changed weights.
    """

    def one(now: Running, given):
        x, target, time = given
        alive = time < lengths
        weights = now.weights
        u = net97.units(now.state)
        driven = net97.drive(weights, x[None])[0]
        state, squashed = net97.step(weights, driven, now.state, u)
        traces = online.add(now.traces, x[None], u, online.net_slopes(state, squashed))
        y = net97.readout(weights, state)
        e = online.errors(weights, state, y, target)
        gradient = online.assign(weights, x, u, state, traces, e)
        change = jax.tree.map(lambda d: jnp.where(alive, -rates * d, 0), gradient)
        weights = jax.tree.map(jnp.add, weights, change)
        return Running(weights, net97.hold(alive, state, now.state), traces), y

    start = Running(
        weights,
        net97.start(weights, lengths),
        online.no_traces(weights, lengths),
    )
    end, outputs = jax.lax.scan(one, start, (inputs, targets, jnp.arange(len(inputs))))
    return outputs, end.weights
