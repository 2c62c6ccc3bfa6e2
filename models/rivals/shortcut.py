"""The net of RTRL and BPTT in experiment 2: recurrent units, and inputs that feed the outputs."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx

from models.lstm97.net import uniform
from models.rivals import rtrl


class ShortcutNetwork(nnx.Module):
    r"""Logistic hidden units that see inputs and each other, below outputs that see both.

    .. math::

        u_t &= \sigma(W_x x_t + W_h u_{t-1}) \\
        net_t &= W x_t + V u_t

    Weights: H (m + H) + K (m + H), with m inputs and K outputs.

    Attributes:
        W_x: `[m, H]`.
        W_h: `[H, H]`.
        direct: `[m, K]`, W.
        kernel: `[H, K]`, V.
    """

    def __init__(self, n_in: int, hidden: int, n_out: int, init_range: float, rngs: nnx.Rngs):
        draw = uniform(init_range)
        self.W_x = nnx.Param(draw(rngs.params(), (n_in, hidden)))
        self.W_h = nnx.Param(draw(rngs.params(), (hidden, hidden)))
        self.direct = nnx.Param(draw(rngs.params(), (n_in, n_out)))
        self.kernel = nnx.Param(draw(rngs.params(), (hidden, n_out)))

    def __call__(self, inputs: jax.Array, length: jax.Array) -> jax.Array:
        """Net inputs of the outputs `[T, K]` over one sequence of one-hot inputs `[T, m]`.

        Nothing at or after `length` reaches a step before it.
        """
        del length
        numbers = symbols(inputs)
        u = hidden(self.W_x[...], self.W_h[...], numbers)
        return self.direct[numbers] + u @ self.kernel


def hidden(W_x: jax.Array, W_h: jax.Array, numbers: jax.Array) -> jax.Array:
    """Hidden units `[T, H]` after symbols with these numbers `[T]`."""

    def one(u, driven):
        u = jax.nn.sigmoid(driven + u @ W_h)
        return u, u

    return jax.lax.scan(one, jnp.zeros(len(W_h), W_h.dtype), W_x[numbers])[1]


def outputs(weights: dict[str, jax.Array], numbers: jax.Array, u: jax.Array) -> jax.Array:
    """Outputs `[T, K]` after symbols with these numbers `[T]` and hidden units u `[T, H]`."""
    return jax.nn.sigmoid(weights["direct"][numbers] + u @ weights["kernel"])


def errors(y: jax.Array, targets: jax.Array, rate: jax.Array) -> jax.Array:
    """Errors of logistic outputs y, equation (19), times the learning rate; all `[T, K]`."""
    return rate * y * (1 - y) * (targets - y)


def moved(
    weights: dict[str, jax.Array],
    numbers: jax.Array,
    u: jax.Array,
    e: jax.Array,
    moves: tuple[jax.Array, jax.Array],
) -> dict[str, jax.Array]:
    """The weights after the changes of a sequence.

    Args:
        weights: of a `ShortcutNetwork`, by name.
        numbers: `[T]`, of the symbols.
        u: `[T, H]`, hidden units.
        e: `[T, K]`, errors of the outputs, equation (19), times the learning rate.
        moves: what is added to W_x and W_h.
    """
    to_inputs, to_units = moves
    return {
        "W_x": weights["W_x"] + to_inputs,
        "W_h": weights["W_h"] + to_units,
        "direct": weights["direct"].at[numbers].add(e),
        "kernel": weights["kernel"] + u.T @ e,
    }


def symbols(inputs: jax.Array) -> jax.Array:
    """Numbers `[T]` of one-hot inputs `[T, m]`; 0 where no input is on."""
    # By `argmax` it takes longer.
    return jnp.int32(inputs @ jnp.arange(inputs.shape[-1], dtype=inputs.dtype))


@dataclass(frozen=True)
class ShortcutNet:
    """Recipe of such a net, with its gradient in exact forward mode (`models.rivals.rtrl`).

    Attributes:
        hidden: H.
        init_range: r; initial weights are uniform in [-r, r].
    """

    hidden: int = 1
    init_range: float = 0.2

    growth = None
    batched = False

    def build(self, n_in: int, n_out: int, rngs: nnx.Rngs) -> ShortcutNetwork:
        """A freshly initialised network; weights depend on `rngs` only."""
        return ShortcutNetwork(n_in, self.hidden, n_out, self.init_range, rngs)

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
        if at_once:
            raise ValueError("a ShortcutNet learns after every sequence, not after every step")
        weights = jax.tree.map(jnp.asarray, nnx.to_pure_dict(params))
        W_x, W_h = weights["W_x"], weights["W_h"]
        numbers, n_in = symbols(inputs), inputs.shape[-1]
        # The outputs of all steps at once: only the hidden units need what RTRL carries along.
        u = hidden(W_x, W_h, numbers)
        alive = jnp.arange(len(inputs))[:, None] < length
        y = jnp.where(alive, outputs(weights, numbers, u), 0)
        e = jnp.where(alive, self.errors(y, targets, rate), 0)

        def one(now, given):
            units, moves = now
            x, back = given
            units = rtrl.step(W_x, W_h, x, units)
            return (units, jax.tree.map(jnp.add, moves, rtrl.assign(units, back, n_in))), None

        begin = rtrl.start(n_in, W_h), (jnp.zeros_like(W_x), jnp.zeros_like(W_h))
        (_, moves), _ = jax.lax.scan(one, begin, (inputs, e @ weights["kernel"].T))
        changed = moved(weights, numbers, u, e, moves)
        return y, jax.tree.unflatten(jax.tree.structure(params), jax.tree.leaves(changed))

    def errors(self, y: jax.Array, targets: jax.Array, rate: jax.Array) -> jax.Array:
        """What the outputs learn from, `[T, K]`; see `errors` of this module."""
        return errors(y, targets, rate)


@dataclass(frozen=True)
class PlainDeltaShortcutNet(ShortcutNet):
    """As `ShortcutNet`, without the derivative of the output unit in its error.

    A reading of its own (docs/FIDELITY.md, R11).
    """

    def errors(self, y: jax.Array, targets: jax.Array, rate: jax.Array) -> jax.Array:
        """As of `ShortcutNet`: target - y, times the learning rate."""
        return rate * (targets - y)
