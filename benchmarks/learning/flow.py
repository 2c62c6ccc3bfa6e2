"""How an error flows back through the states of a network: pure functions of networks.

Computed in double precision, where only what is below 1e-308 vanishes: in single precision a gate
at one half would have made an error zero after 150 steps.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Model
from models.network import Gated, Network
from tasks.sequence import Sequence, Task

Loss = Callable[[jax.Array, jax.Array], jax.Array]


class Passage(NamedTuple):
    """What happened in a network while a sequence passed.

    Attributes:
        states: the vectors of the carry after each step, by name, `[T, ...]`; of complex ones the
            real and the imaginary parts.
        gates: activations of the cell's gates, by name, `[T, ...]`; none where it names none.
    """

    states: dict[str, jax.Array]
    gates: dict[str, jax.Array]


def structure(model: Model, task: Task) -> nnx.GraphDef:
    """The network that a model makes for a task, without its numbers.

    Raises:
        UsageError: it is not a recurrent cell with a readout (the net of 2a and 2b is none).
    """
    network = nnx.eval_shape(lambda: model.build(task.n_in, task.n_out, nnx.Rngs(0)))
    if not isinstance(network, Network):
        raise UsageError(
            f"a {type(network).__name__} is no recurrent cell with a readout: nothing to look into"
        )
    return nnx.split(network)[0]


def error_flow(graph: nnx.GraphDef, loss: Loss, params, sequences: Sequence) -> dict:
    """Norms of the error's gradient by the states of a network, by their distance to the error.

    The state at distance d is what enters the d-th step before the error, counting the step of
    the error itself as first: between the states at distances 1 and d lie d - 1 steps. The error is
    that of the last step of a sequence alone, though other steps may be scored too.

    Args:
        graph: structure of the network.
        loss: (net input, targets) of the outputs `[n_out]` -> loss `[]`.
        params: weights of n networks, stacked.
        sequences: one for each network, stacked.

    Returns:
        NumPy arrays `[n, T]`, nan beyond the start of a sequence: one for each vector of the
        carry, by name, d loss / d vector in the Euclidean norm.
    """
    with jax.enable_x64(True):
        return jax.device_get(_error_flow(graph, loss, _double(params), _double(sequences)))


def passage(graph: nnx.GraphDef, params, sequence: Sequence) -> Passage:
    """States and gates of one network over one sequence, as NumPy arrays of `length` steps."""
    with jax.enable_x64(True):
        seen = jax.device_get(_passage(graph, _double(params), _double(sequence.inputs)))
    seen = jax.tree.map(lambda leaf: leaf[: int(sequence.length)], seen)
    return Passage(_in_parts(seen.states), _in_parts(seen.gates))


def _in_parts(vectors: dict[str, jax.Array]) -> dict[str, jax.Array]:
    found: dict[str, jax.Array] = {}
    for name, vector in vectors.items():
        if jnp.iscomplexobj(vector):
            found |= {f"{name}, real": vector.real, f"{name}, imaginary": vector.imag}
        else:
            found[name] = vector
    return found


def whole(norms: dict) -> np.ndarray:
    """The norm over all vectors of the carry together, from the norm of each."""
    return np.asarray(functools.reduce(np.hypot, norms.values()))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _error_flow(graph, loss: Loss, params, sequences: Sequence) -> dict:
    # One after the other, so that a row does not depend on how many are measured beside it.
    return jax.lax.map(
        lambda each: _one_flow(nnx.merge(graph, each[0]), loss, each[1]), (params, sequences)
    )


def _one_flow(network: Network, loss: Loss, sequence: Sequence) -> dict:
    end, steps = sequence.length - 1, len(sequence.inputs)

    def error(offsets):
        net, _ = _unrolled(network, sequence.inputs, offsets)
        return loss(net[end], sequence.targets[end])

    gradient = jax.grad(error)(_zero_offsets(network, sequence.inputs))
    at = end - jnp.arange(steps)
    return {
        name: jnp.where(at >= 0, jax.vmap(_norm)(leaf)[at], jnp.nan)
        for name, leaf in _named(network.cell, gradient).items()
    }


@functools.partial(jax.jit, static_argnums=0)
def _passage(graph, params, inputs: jax.Array) -> Passage:
    network = nnx.merge(graph, params)
    return _unrolled(network, inputs, _zero_offsets(network, inputs))[1]


def _unrolled(network: Network, inputs: jax.Array, offsets) -> tuple[jax.Array, Passage]:
    """Net inputs of the outputs `[T, n_out]`, and the passage.

    Offsets `[T, ...]`, shaped as the carry, are added to what enters each step: the derivative by
    an offset is that by the state.
    """
    graph, weights = nnx.split(network.cell)

    def step(carry, now):
        x, offset = now
        cell = nnx.merge(graph, weights)
        carry = jax.tree.map(jnp.add, carry, offset)
        gates = cell.gates(carry, x) if isinstance(cell, Gated) else {}
        new, y = cell(carry, x)
        # A cell may insist on single precision.
        new = _precise(new, inputs)
        return new, (y, new, gates)

    start = _start(network, inputs)
    _, (y, states, gates) = jax.lax.scan(step, start, (inputs, offsets))
    return network.readout(y), Passage(_named(network.cell, states), gates)


def _start(network: Network, inputs: jax.Array):
    carry = network.cell.initialize_carry(inputs.shape[1:], nnx.Rngs(0))
    return _precise(carry, inputs)


def _precise(carry, inputs: jax.Array):
    """A carry in the precision of the inputs, its complex vectors still complex."""

    def cast(leaf):
        complex_too = jnp.complex64 if jnp.iscomplexobj(leaf) else inputs.dtype
        return leaf.astype(jnp.result_type(inputs.dtype, complex_too))

    return jax.tree.map(cast, carry)


def _zero_offsets(network: Network, inputs: jax.Array):
    carry = _start(network, inputs)
    return jax.tree.map(lambda leaf: jnp.zeros((len(inputs), *leaf.shape), leaf.dtype), carry)


def _named(cell: nnx.RNNCellBase, carry) -> dict[str, jax.Array]:
    """The vectors of a carry by the names that the cell gives them, else by their place in it."""
    paths, leaves = zip(*jax.tree_util.tree_leaves_with_path(carry), strict=True)
    places = [f"carry{jax.tree_util.keystr(path)}" for path in paths]
    return dict(zip(getattr(cell, "carried", places), leaves, strict=True))


def _norm(gradient: jax.Array) -> jax.Array:
    """Euclidean norm, also where the squares would be too small for a number."""
    largest = jnp.max(jnp.abs(gradient))
    safe = jnp.where(largest > 0, largest, 1)
    return largest * jnp.sqrt(jnp.sum(jnp.abs(gradient / safe) ** 2))


def _double(tree):
    def cast(leaf):
        inexact = jnp.issubdtype(leaf.dtype, jnp.inexact)
        return jnp.asarray(leaf, jnp.result_type(leaf, jnp.float64) if inexact else leaf.dtype)

    return jax.tree.map(cast, tree)
