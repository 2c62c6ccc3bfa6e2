"""The truncated gradient of the net of 2000, carried forwards from step to step of a stream.

The same numbers as `jax.grad` through `models.lstm00.net` of each step's error by itself, with
features first and trials last, as in `models.lstm97.forward`. What is carried along is ds/dw: for
w to an input gate, a forget gate or a cell, and each source m of w,

    ds/dw(t) = y_f ds/dw(t-1) + { g y_in (1 - y_in), s(t-1) y_f (1 - y_f), y_in g' } m.

A gate that forgets a state forgets the traces with it.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from models.lstm97.forward import LOGISTIC, Output
from models.lstm97.net import g, h


class Weights(NamedTuple):
    """Weights of the networks of many trials; also their gradient.

    Attributes:
        hidden: `[n_in + cells, gates + cells, trials]`, from, to.
        bias: `[gates, trials]`.
        readout: `[n_in + cells, n_out, trials]`, from, to; without `n_in` where inputs do not feed
            the output units.
        readout_bias: `[n_out, trials]`.
    """

    hidden: jax.Array
    bias: jax.Array
    readout: jax.Array
    readout_bias: jax.Array


class State(NamedTuple):
    """What one step leaves for the next.

    Attributes:
        s: `[cells, trials]`.
        y: `[cells, trials]`, activations of the cells.
        gates: `[gates, trials]`, activations of output, input and forget gates.
        sources: `[n_in + cells + 1, trials]`, where weights to hidden units began: inputs, cells of
            the step before, and 1 for biases.
        traces: `[n_in + cells + 1, kinds, cells, trials]`, ds/dw by the source of w and by its
            kind: w to the input gate, to the forget gate, if there is one, to the cell.
    """

    s: jax.Array
    y: jax.Array
    gates: jax.Array
    sources: jax.Array
    traces: jax.Array


def from_params(params: nnx.State) -> Weights:
    """Weights of networks built by `Net00`, whose arrays have a leading trial axis."""
    last = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), nnx.to_pure_dict(params))
    cell, readout = last["cell"], last["readout"]
    return Weights(cell["W"], cell["b"], readout["kernel"], readout["bias"])


def to_params(weights: Weights, like: nnx.State) -> nnx.State:
    """Inverse of `from_params`; `like` lends its structure, not its numbers."""
    nested = {
        "cell": {"W": weights.hidden, "b": weights.bias},
        "readout": {"kernel": weights.readout, "bias": weights.readout_bias},
    }
    leaves = [jnp.moveaxis(leaf, -1, 0) for leaf in jax.tree.leaves(nested)]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def start(weights: Weights, blocks: int) -> State:
    """The state before the first step of nets with so many blocks: nothing."""
    sources, units, trials = weights.hidden.shape
    gates = len(weights.bias)
    cells, kinds = units - gates, gates // blocks  # an output gate has no trace, a cell has one
    shapes = (cells,), (cells,), (gates,), (sources + 1,), (sources + 1, kinds, cells)
    return State(*(jnp.zeros((*shape, trials), weights.hidden.dtype) for shape in shapes))


def advance(weights: Weights, state: State, x: jax.Array, blocks: int) -> State:
    """One step of all nets, with inputs x `[n_in, trials]`."""
    u = jnp.concatenate([x, state.y])
    net = _product(weights.hidden, u)
    n_gates = len(weights.bias)
    gates, squashed = jax.nn.sigmoid(net[:n_gates] + weights.bias), g(net[n_gates:])
    y_out, y_in, *forget = _per_cell(gates, len(squashed), blocks)
    kept = forget[0] if forget else 1.0
    s = kept * state.s + y_in * squashed
    slopes = jnp.stack(
        [
            squashed * y_in * (1 - y_in),
            *(state.s * y_f * (1 - y_f) for y_f in forget),
            y_in * (1 - squashed**2 / 4),
        ]
    )
    sources = jnp.concatenate([u, jnp.ones_like(u[:1])])
    traces = kept * state.traces + slopes * sources[:, None, None]
    return State(s, y_out * h(s), gates, sources, traces)


def outputs(weights: Weights, state: State, x: jax.Array, output: Output = LOGISTIC) -> jax.Array:
    """Activations of the output units, `[n_out, trials]`, after a step with inputs x."""
    seen = _seen(weights, state, x)
    return output.activate(_product(weights.readout, seen) + weights.readout_bias)


def assign(
    weights: Weights,
    state: State,
    x: jax.Array,
    y: jax.Array,
    targets: jax.Array,
    blocks: int,
    output: Output = LOGISTIC,
) -> Weights:
    """The gradient of half the squared error of outputs y after a step with inputs x."""
    e = output.slope(y) * (targets - y)  # FIDELITY L8
    back = jnp.sum(weights.readout[-len(state.y) :] * e, 1)
    y_out, squashed = _per_cell(state.gates, len(state.s), blocks)[0], h(state.s)
    e_out = _per_block(y_out * (1 - y_out) * squashed * back, blocks)
    of_states = state.traces * (y_out * (1 - squashed**2) / 2 * back)
    *to_gates, to_cells = jnp.moveaxis(of_states, 1, 0)
    of_gates = [state.sources[:, None] * e_out, *(_per_block(each, blocks) for each in to_gates)]
    of_hidden = jnp.concatenate([*of_gates, to_cells], 1)
    seen = _seen(weights, state, x)
    biased = len(weights.bias)
    return Weights(-of_hidden[:-1], -of_hidden[-1, :biased], -seen[:, None] * e, -e)


def learn(
    weights: Weights,
    state: State,
    x: jax.Array,
    targets: jax.Array,
    blocks: int,
    output: Output = LOGISTIC,
) -> tuple[jax.Array, Weights, State]:
    """One step of all nets, and the gradient of its error.

    Args:
        weights: of one network per trial.
        state: of the step before.
        x: inputs, `[n_in, trials]`.
        targets: `[n_out, trials]`.
        blocks: number of blocks.
        output: kind of the output units.

    Returns:
        Activations of the output units `[n_out, trials]`, the gradient of half their squared error,
        shaped like `weights`, and the new state.
    """
    state = advance(weights, state, x, blocks)
    y = outputs(weights, state, x, output)
    return y, assign(weights, state, x, y, targets, blocks, output), state


def _seen(weights: Weights, state: State, x: jax.Array) -> jax.Array:
    """What feeds the output units: inputs and cells, or the cells alone."""
    return jnp.concatenate([x, state.y])[-len(weights.readout) :]


def _per_cell(gates: jax.Array, cells: int, blocks: int) -> list[jax.Array]:
    """Gates of each kind, `[cells, trials]` each."""
    kinds = jnp.split(gates, len(gates) // blocks)
    return [jnp.repeat(kind, cells // blocks, 0) for kind in kinds]


def _product(weights: jax.Array, sources: jax.Array) -> jax.Array:
    """Net inputs `[to, trials]` by weights `[from, to, trials]`, written out over the sources."""
    return sum(w * source for w, source in zip(weights, sources, strict=True))


def _per_block(of_cells: jax.Array, blocks: int) -> jax.Array:
    """Sums over the cells of a block, along the last axis but one."""
    *lead, cells, trials = of_cells.shape
    return jnp.sum(of_cells.reshape(*lead, blocks, cells // blocks, trials), -2)
