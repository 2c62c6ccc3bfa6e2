"""The net of recurrent cascade-correlation (Fahlman 1991), which gets a hidden unit at a time."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx

from models.lstm97.net import uniform


class CascadeNetwork(nnx.Module):
    r"""Hidden units one above the other, each with a weight to itself and to no other back in time.

    With :math:`z_t = (x_t, 1, v_1(t), ..., v_M(t))`:

    .. math::

        v_i(t) &= \sigma(w_i z_t + s_i v_i(t-1)) - 1/2 \\
        net_t &= W z_t

    where w_i sees the inputs, the bias and the units before i only. A unit that is not there yet
    has weights of zero only, so that it is always zero.

    Attributes:
        hidden: `[M, m + 1 + M + 1]`; of each unit w_i, then s_i.
        output: `[m + 1 + M, K]`, W.
    """

    def __init__(self, n_in: int, n_out: int, units: int, init_range: float, rngs: nnx.Rngs):
        draw = uniform(init_range)
        self.hidden = nnx.Param(jnp.zeros((units, n_in + 1 + units + 1)))
        first = draw(rngs.params(), (n_in + 1, n_out))
        self.output = nnx.Param(jnp.concatenate([first, jnp.zeros((units, n_out))]))

    def __call__(self, inputs: jax.Array, length: jax.Array) -> jax.Array:
        """Net inputs of the outputs `[T, K]` over one sequence `[T, m]`.

        Nothing at or after `length` reaches a step before it.
        """
        del length
        hidden, units = self.hidden[...], len(self.hidden)
        start = jnp.zeros(units, hidden.dtype)

        def one(before, x):
            now = start
            for i in range(units):
                z = jnp.concatenate([x, jnp.ones(1, x.dtype), now])
                v = jax.nn.sigmoid(hidden[i, :-1] @ z + hidden[i, -1] * before[i]) - 0.5
                now = now.at[i].set(v)
            return now, now

        activations = jax.lax.scan(one, start, inputs)[1]
        return below(inputs, activations) @ self.output


def below(inputs: jax.Array, activations: jax.Array) -> jax.Array:
    """What outputs and new units see: z `[..., m + 1 + M]`, from inputs `[..., m]` and units."""
    return jnp.concatenate([inputs, jnp.ones_like(inputs[..., :1]), activations], -1)


def candidates(weights: jax.Array, z: jax.Array) -> jax.Array:
    """Activations `[n, T, P]` of P units that are not in the net yet, on n sequences.

    Args:
        weights: `[P, D + 1]`; of each unit those from z, then that to itself.
        z: `[n, T, D]`.
    """
    driven = jnp.moveaxis(z @ weights[:, :-1].T, 1, 0)

    def one(v, net):
        v = jax.nn.sigmoid(net + weights[:, -1] * v) - 0.5
        return v, v

    return jnp.moveaxis(jax.lax.scan(one, jnp.zeros_like(driven[0]), driven)[1], 0, 1)


@dataclass(frozen=True)
class CascadeNet:
    """Recipe of such a net, without hidden units at first.

    Attributes:
        units: M, the most hidden units that it may get.
        init_range: r; initial weights are uniform in [-r, r].
    """

    units: int = 12
    init_range: float = 1.0  # FIDELITY R10

    growth = None
    batched = False

    def build(self, n_in: int, n_out: int, rngs: nnx.Rngs) -> CascadeNetwork:
        """A net without hidden units; weights depend on `rngs` only."""
        return CascadeNetwork(n_in, n_out, self.units, self.init_range, rngs)
