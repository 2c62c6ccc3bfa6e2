"""A recurrent cell unrolled over one sequence, with a linear readout at every step."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import nnx

LONG = 300  # steps; in longer sequences, stored activations come slower than computed ones


@runtime_checkable
class Gated(Protocol):
    """A cell that lets others look at its gates; nothing depends on it but figures."""

    def gates(self, carry, x: jax.Array) -> dict[str, jax.Array]:
        """Activations of its gates in one step, by name; arguments as of the cell itself."""


@runtime_checkable
class Preparing(Protocol):
    """A cell that computes something from its weights alone, which is the same at every step."""

    def prepared(self) -> nnx.RNNCellBase:
        """A cell that does the same, with all of that already computed."""


class Network(nnx.Module):
    """Cell and readout: the function from an input sequence to net inputs of the outputs.

    Attributes:
        cell: any `nnx.RNNCellBase`; `(carry, x [n_in]) -> (carry, y [n_cell])`.
        readout: linear map `[n_cell] -> [n_out]`.
    """

    def __init__(self, cell: nnx.RNNCellBase, readout: Callable[[jax.Array], jax.Array]):
        self.cell = cell
        self.readout = readout

    def __call__(self, inputs: jax.Array, length: jax.Array) -> jax.Array:
        """Runs over sequences from a zero carry.

        Args:
            inputs: `[..., T, n_in]`; leading axes are batch, if the cell takes them.
            length: `[...]` int; from this step on the carry is held, so padding changes neither
                states nor gradients.

        Returns:
            Net inputs of the output units, `[..., T, n_out]`.
        """
        return jnp.moveaxis(self.readout(self.states(inputs, length)), 0, -2)

    def states(self, inputs: jax.Array, length: jax.Array) -> jax.Array:
        """Outputs of the cell after every step, `[T, ..., n_cell]`; arguments as of `__call__`."""
        cell, start, steps = self._unrolled(inputs, length)

        def step(carry, now):
            x, alive = now
            new, y = cell(carry, x)
            return _hold(alive, new, carry), y

        return _scan(step, start, steps)[1]

    def last(self, inputs: jax.Array, length: jax.Array) -> jax.Array:
        """As `__call__`, after the last step of every sequence only: `[..., n_out]`."""
        cell, start, steps = self._unrolled(inputs, length)

        def step(now, following):
            x, alive = following
            return _hold(alive, cell(now[0], x), now), None

        y = jax.eval_shape(cell, start, steps[0][0])[1]
        now = start, jnp.zeros(y.shape, y.dtype)
        return self.readout(_scan(step, now, steps)[0][1])

    def resume(self, carry: Any, inputs: jax.Array, fresh: jax.Array) -> tuple[Any, jax.Array]:
        """Goes on along a stream.

        Args:
            carry: where the last steps have left the cell.
            inputs: of one stream, `[T, n_in]`.
            fresh: `[T]` bool; the steps before which the carry is set back to the first one.

        Returns:
            The carry behind these steps, and the net inputs of the output units, `[T, n_out]`.
        """
        graph, weights = nnx.split(self.cell)
        start = self.cell.initialize_carry(inputs.shape[1:], nnx.Rngs(0))

        def step(carry, now):
            x, anew = now
            return nnx.merge(graph, weights)(_hold(anew, start, carry), x)

        carry, y = _scan(step, carry, (inputs, fresh))
        return carry, self.readout(y)

    def _unrolled(self, inputs: jax.Array, length: jax.Array):
        """The cell as a function, its first carry, and of every step the input and if it counts."""
        cell = self.cell.prepared() if isinstance(self.cell, Preparing) else self.cell
        graph, weights = nnx.split(cell)
        steps = jnp.moveaxis(inputs, -2, 0)
        start = self.cell.initialize_carry(steps.shape[1:], nnx.Rngs(0))
        alive = jnp.arange(len(steps)).reshape(-1, *[1] * jnp.ndim(length)) < length
        return lambda carry, x: nnx.merge(graph, weights)(carry, x), start, (steps, alive)


def _scan(step, start, steps):
    """`jax.lax.scan`, with little stored for the way back."""
    kept = _activations if len(steps[0]) <= LONG else None
    return jax.lax.scan(jax.checkpoint(step, prevent_cse=False, policy=kept), start, steps)


def _hold(alive: jax.Array, new, old):
    """The new carry of sequences that go on, the old one of others."""
    return jax.tree.map(functools.partial(_where, alive), new, old)


def _where(alive: jax.Array, new: jax.Array, old: jax.Array) -> jax.Array:
    return jnp.where(alive.reshape(alive.shape + (1,) * (new.ndim - alive.ndim)), new, old)


def _activations(primitive, *_, **__) -> bool:
    """Whether the backward pass finds a result stored, rather than computes it again."""
    return primitive in (jax.lax.logistic_p, jax.lax.tanh_p)


@dataclass(frozen=True)
class Recurrent:
    """A modern net: one layer of `hidden` units of a cell class, biased linear readout.

    Attributes:
        cell: class called as `cell(in_features, hidden_features, rngs=...)`, as flax's own are.
        hidden: number of hidden units.
    """

    cell: Callable[..., nnx.RNNCellBase]
    hidden: int

    growth = None

    @property
    def batched(self) -> bool:
        """Whether the cell says that leading axes of what it is given are batch."""
        return getattr(self.cell, "batched", False)

    def build(self, n_in: int, n_out: int, rngs: nnx.Rngs, **settings: Any) -> Network:
        """A freshly initialised network; the settings are for the cell (`models.cell.Cell`)."""
        cell = self.cell(n_in, self.hidden, rngs=rngs, **settings)
        return Network(cell, nnx.Linear(self.hidden, n_out, rngs=rngs))
