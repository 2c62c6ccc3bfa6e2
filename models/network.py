"""A recurrent cell unrolled over one sequence, with a linear readout at every step."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import nnx


@runtime_checkable
class Gated(Protocol):
    """A cell that lets others look at its gates; nothing depends on it but figures."""

    def gates(self, carry, x: jax.Array) -> dict[str, jax.Array]:
        """Activations of its gates in one step, by name; arguments as of the cell itself."""


class Network(nnx.Module):
    """Cell and readout: the function from an input sequence to net inputs of the outputs.

    Attributes:
        cell: any `nnx.RNNCellBase`; `(carry, x [n_in]) -> (carry, y [n_cell])`.
        readout: linear map `[n_cell] -> [n_out]`.
    """

    def __init__(self, cell: nnx.RNNCellBase, readout: nnx.Linear):
        self.cell = cell
        self.readout = readout

    def __call__(self, inputs: jax.Array, length: jax.Array) -> jax.Array:
        """Runs over one sequence from a zero carry.

        Args:
            inputs: `[T, n_in]`.
            length: `[]` int; from this step on the carry is held, so padding changes neither
                states nor gradients.

        Returns:
            Net inputs of the output units, `[T, n_out]`.
        """
        graph, weights = nnx.split(self.cell)

        def step(carry, now):
            x, alive = now
            new, y = nnx.merge(graph, weights)(carry, x)
            return jax.tree.map(lambda a, b: jnp.where(alive, a, b), new, carry), y

        start = self.cell.initialize_carry(inputs.shape[1:], nnx.Rngs(0))
        alive = jnp.arange(len(inputs)) < length
        return self.readout(jax.lax.scan(step, start, (inputs, alive))[1])


@dataclass(frozen=True)
class Recurrent:
    """A modern net: one layer of `hidden` units of a cell class, biased linear readout.

    Attributes:
        cell: class called as `cell(in_features, hidden_features, rngs=...)`, as flax's own are.
        hidden: number of hidden units.
    """

    cell: type[nnx.RNNCellBase]
    hidden: int

    growth = None

    def build(self, n_in: int, n_out: int, rngs: nnx.Rngs) -> Network:
        """A freshly initialised network; weights depend on `rngs` only."""
        return Network(
            self.cell(n_in, self.hidden, rngs=rngs), nnx.Linear(self.hidden, n_out, rngs=rngs)
        )
