"""The truncated gradient of 1997 from step to step of a stream, for many trials at once.

What `models.lstm97.every_step` does within a sequence, a step at a time.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from models.lstm97 import forward as net97
from models.lstm97 import online
from models.lstm97.forward import LOGISTIC, Output, Reading, Weights, from_params, to_params

__all__ = ["State", "from_params", "learn", "start", "to_params"]


class State(NamedTuple):
    """What one step leaves for the next: states of the nets, and ds/dw, trials last throughout."""

    net: net97.State
    traces: online.Traces


def start(weights: Weights) -> State:
    """The state before the first step."""
    trials = jnp.zeros(weights.hidden.shape[-1])
    return State(net97.start(weights, trials, 0.0), _turned(online.no_traces(weights, trials)))


def learn(
    weights: Weights,
    state: State,
    x: jax.Array,
    targets: jax.Array,
    output: Output = LOGISTIC,
) -> tuple[jax.Array, Weights, State]:
    """One step of all nets, and the gradient of its error; as `models.lstm00.online.learn`."""
    u = net97.units(state.net)
    net, squashed = net97.step(weights, net97.drive(weights, x[None])[0], state.net, u)
    traces = online.add(_turned(state.traces), x[None], u, online.net_slopes(net, squashed))
    reading = Reading(output)
    y = net97.readout(weights, net, reading, x)
    e = online.errors(weights, net, y, targets, reading)
    return y, online.assign(weights, x, u, net, traces, e), State(net, _turned(traces))


def _turned(traces: online.Traces) -> online.Traces:
    """Those of inputs with trials last, or as `online` has them, where they are in the middle."""
    return traces._replace(inputs=jnp.swapaxes(traces.inputs, 1, 2))
