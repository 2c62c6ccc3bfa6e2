"""Elman's simple recurrent net and his procedure (Elman 1990; Cleeremans et al. 1989 on Reber)."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx

from models.lstm97.net import uniform
from models.network import Network
from models.rivals.units import LogisticUnits


class Elman(LogisticUnits):
    r"""Logistic hidden units that see the inputs and a copy of themselves, the context.

    .. math::

        u_t = \sigma(W_x x_t + W_h u_{t-1})

    Weights: H (m + H), and K H of the outputs, which see the hidden units.

    Warning:
        `jax.grad` of this cell is truncated: the context counts as one more input, through which
        no error goes back in time.
    """

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (u `[..., H]`, x `[..., m]`) -> (new u, new u)."""
        u = jax.nn.sigmoid(x @ self.W_x + jax.lax.stop_gradient(carry) @ self.W_h)  # FIDELITY R6
        return u, u


@dataclass(frozen=True)
class ElmanNet:
    """Recipe of such a net; no unit has a bias.

    Attributes:
        hidden: H.
        init_range: r; initial weights are uniform in [-r, r].
    """

    hidden: int = 15
    init_range: float = 0.2

    growth = None
    batched = False

    def build(self, n_in: int, n_out: int, rngs: nnx.Rngs) -> Network:
        """A freshly initialised network; weights depend on `rngs` only."""
        draw = uniform(self.init_range)
        cell = Elman(n_in, self.hidden, self.init_range, rngs)
        return Network(
            cell, nnx.Linear(self.hidden, n_out, use_bias=False, kernel_init=draw, rngs=rngs)
        )

    def follow(
        self,
        params: nnx.State,
        inputs: jax.Array,
        length: jax.Array,
        targets: jax.Array,
        rate: jax.Array,
        at_once: bool,
    ) -> tuple[jax.Array, nnx.State]:
        """One sequence of one trial; see `benchmarks.learning.program_rivals.Follows`."""
        pure = jax.tree.map(jnp.asarray, nnx.to_pure_dict(params))
        before = pure["cell"]["W_x"], pure["cell"]["W_h"], pure["readout"]["kernel"]

        def one(t, now):
            changed, context, outputs = now
            W_x, W_h, kernel = changed if at_once else before
            u = jax.nn.sigmoid(inputs[t] @ W_x + context @ W_h)
            y = jax.nn.sigmoid(u @ kernel)
            e = rate * y * (1 - y) * (targets[t] - y)
            e_hidden = u * (1 - u) * (kernel @ e)
            moves = (
                inputs[t][:, None] * e_hidden,
                context[:, None] * e_hidden,
                u[:, None] * e,
            )
            return jax.tree.map(jnp.add, changed, moves), u, outputs.at[t].set(y)

        begin = before, jnp.zeros(self.hidden, before[1].dtype), jnp.zeros_like(targets)
        (W_x, W_h, kernel), _, outputs = jax.lax.fori_loop(0, length, one, begin)
        changed = {"cell": {"W_x": W_x, "W_h": W_h}, "readout": {"kernel": kernel}}
        return outputs, jax.tree.unflatten(jax.tree.structure(params), jax.tree.leaves(changed))
