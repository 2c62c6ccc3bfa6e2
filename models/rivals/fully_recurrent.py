"""The fully recurrent net of Williams & Zipser 1989, as Smith & Zipser 1989 trained it on Reber."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx

from models.network import Network
from models.rivals import rtrl
from models.rivals.units import LogisticUnits


class FullyRecurrent(LogisticUnits):
    r"""Logistic units that see all inputs and all units, the output units among them.

    .. math::

        u_t = \sigma(W_x x_t + W_h u_{t-1})

    The last `n_out` of the units are the outputs. Weights: n (m + n), with n = hidden + n_out units
    and m inputs.

    Attributes:
        n_out: number of output units.
    """

    def __init__(self, n_in: int, hidden: int, n_out: int, init_range: float, rngs: nnx.Rngs):
        super().__init__(n_in, hidden + n_out, init_range, rngs)
        self.n_out = n_out

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (u `[..., n]`, x `[..., m]`) -> (new u, net inputs of the outputs)."""
        net = x @ self.W_x + carry @ self.W_h
        return jax.nn.sigmoid(net), net[..., -self.n_out :]  # FIDELITY R1


@dataclass(frozen=True)
class FullyRecurrentNet:
    """Recipe of such a net, with its gradient in exact forward mode (`models.rivals.rtrl`).

    Attributes:
        hidden: units that are no outputs.
        init_range: r; initial weights are uniform in [-r, r].
    """

    hidden: int
    init_range: float = 0.2  # FIDELITY R3

    growth = None
    batched = False

    def build(self, n_in: int, n_out: int, rngs: nnx.Rngs) -> Network:
        """A freshly initialised network; weights depend on `rngs` only."""
        cell = FullyRecurrent(n_in, self.hidden, n_out, self.init_range, rngs)
        return Network(cell, lambda net: net)

    def follow(
        self,
        params: nnx.State,
        inputs: jax.Array,
        length: jax.Array,
        targets: jax.Array,
        rate: jax.Array,
        at_once: bool,
    ) -> tuple[jax.Array, nnx.State]:
        """One sequence of one trial by RTRL; see `benchmarks.learning.program_rivals.Follows`."""
        cell = jax.tree.map(jnp.asarray, nnx.to_pure_dict(params))["cell"]
        before = cell["W_x"], cell["W_h"]
        n_in, n_out = inputs.shape[-1], targets.shape[-1]

        def one(t, now):
            changed, units, outputs = now
            used = changed if at_once else before
            units = rtrl.step(used[0], used[1], inputs[t], units)
            y = units.y[-n_out:]
            back = jnp.zeros_like(units.y).at[-n_out:].set(targets[t] - y)
            moves = rtrl.assign(units, rate * back, n_in)
            changed = jax.tree.map(jnp.add, changed, moves)
            return changed, units, outputs.at[t].set(y)

        begin = before, rtrl.start(n_in, before[1]), jnp.zeros_like(targets)
        (W_x, W_h), _, outputs = jax.lax.fori_loop(0, length, one, begin)
        leaves = jax.tree.leaves({"W_x": W_x, "W_h": W_h})
        return outputs, jax.tree.unflatten(jax.tree.structure(params), leaves)
