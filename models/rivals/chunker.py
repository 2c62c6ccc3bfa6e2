"""The neural sequence chunker of Schmidhuber 1992, as experiment 2 of HS97 has it: two nets."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from flax import nnx

from models.rivals.shortcut import ShortcutNetwork, errors, hidden, moved, outputs, symbols


class ChunkerNetwork(nnx.Module):
    """An automatizer, which predicts every symbol, and a chunker, which sees the surprising ones.

    A symbol is unexpected if it is the first or if an output of the automatizer was too far off.
    Only then does it become an input of the chunker, which learns to predict the next unexpected
    one. Further outputs of the automatizer learn to predict the chunker's state, so that it gets to
    know early what will be of use late.

    Both are nets of `models.rivals.shortcut`.

    Attributes:
        automatizer: with outputs for K symbols and for the chunker's state.
        chunker: with outputs for K symbols.
    """

    def __init__(self, n_in: int, n_out: int, net: "ChunkerNet", rngs: nnx.Rngs):
        self.n_out, H, r = n_out, net.hidden, net.init_range
        state = H + n_out if net.with_outputs else H
        self.automatizer = ShortcutNetwork(n_in, H, n_out + state, r, rngs)
        self.chunker = ShortcutNetwork(n_in, H, n_out, r, rngs)

    def __call__(self, inputs: jax.Array, length: jax.Array) -> jax.Array:
        """What the automatizer predicts: net inputs of its outputs for symbols, `[T, K]`."""
        return self.automatizer(inputs, length)[:, : self.n_out]  # FIDELITY R8


def surprised(
    W_x: jax.Array, W_h: jax.Array, numbers: jax.Array, unexpected: jax.Array
) -> jax.Array:
    """Hidden units `[T, H]` of a net that sees the unexpected `[T]` of the symbols `[T]` only."""

    def one(u, given):
        driven, new = given
        u = jnp.where(new, jax.nn.sigmoid(driven + u @ W_h), u)
        return u, u

    start = jnp.zeros(len(W_h), W_h.dtype)
    return jax.lax.scan(one, start, (W_x[numbers], unexpected))[1]


@dataclass(frozen=True)
class ChunkerNet:
    """Recipe of both nets.

    Attributes:
        hidden: hidden units of each.
        init_range: r; initial weights are uniform in [-r, r].
        surprise: smallest error of an output that makes a symbol unexpected.
        with_outputs: whether the chunker's state, which the automatizer learns to predict, is its
            outputs as well as its hidden units.
    """

    hidden: int = 1
    init_range: float = 0.2
    surprise: float = 0.25

    with_outputs: ClassVar[bool] = False  # FIDELITY R9
    growth = None
    batched = False

    def build(self, n_in: int, n_out: int, rngs: nnx.Rngs) -> ChunkerNetwork:
        """Freshly initialised networks; weights depend on `rngs` only."""
        return ChunkerNetwork(n_in, n_out, self, rngs)

    def follow(
        self,
        params: nnx.State,
        inputs: jax.Array,
        length: jax.Array,
        targets: jax.Array,
        rate: jax.Array,
        at_once: bool,
    ) -> tuple[jax.Array, nnx.State]:
        """One sequence of one trial by BPTT; see `benchmarks.learning.program_rivals.Follows`."""
        if at_once:
            raise ValueError("a ChunkerNet learns after every sequence, not after every step")
        weights = jax.tree.map(jnp.asarray, nnx.to_pure_dict(params))
        automatizer, chunker = weights["automatizer"], weights["chunker"]
        alive = jnp.arange(len(inputs)) < length
        now, n_out = symbols(inputs), targets.shape[-1]

        u, back = jax.vjp(
            lambda W_x, W_h: hidden(W_x, W_h, now), automatizer["W_x"], automatizer["W_h"]
        )
        y = outputs(automatizer, now, u)
        predicted = y[:, :n_out]
        missed = jnp.any(jnp.abs(predicted - targets) >= self.surprise, -1) & alive  # FIDELITY R7
        unexpected = jnp.concatenate([jnp.ones(1, bool), missed[:-1]])

        reduced, chunker_back = jax.vjp(
            lambda W_x, W_h: surprised(W_x, W_h, now, unexpected), chunker["W_x"], chunker["W_h"]
        )
        latest = now[jax.lax.cummax(jnp.where(unexpected, jnp.arange(len(now)), 0))]
        guess = outputs(chunker, latest, reduced)
        state = jnp.concatenate([reduced, guess], -1) if self.with_outputs else reduced

        # The gradient of the outputs by hand, behind which autodiff takes twice as long.
        wanted = jnp.concatenate([targets, state], -1)
        e = jnp.where(alive[:, None], errors(y, wanted, rate), 0)
        own = jnp.where(missed[:, None], errors(guess, targets, rate), 0)
        changed = {
            "automatizer": moved(automatizer, now, u, e, back(e @ automatizer["kernel"].T)),
            "chunker": moved(
                chunker, latest, reduced, own, chunker_back(own @ chunker["kernel"].T)
            ),
        }
        leaves = jax.tree.leaves(changed)
        return (
            jnp.where(alive[:, None], predicted, 0),
            jax.tree.unflatten(jax.tree.structure(params), leaves),
        )


@dataclass(frozen=True)
class StateChunkerNet(ChunkerNet):
    """As `ChunkerNet`, with an automatizer that learns to predict the chunker's outputs, too.

    A reading of its own (docs/FIDELITY.md, R12).
    """

    with_outputs: ClassVar[bool] = True
