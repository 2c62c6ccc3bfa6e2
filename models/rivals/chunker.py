"""The neural sequence chunker of Schmidhuber 1992, as experiment 2 of HS97 has it: two nets."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx

from models.lstm97.net import squared_error
from models.rivals.shortcut import ShortcutNetwork, symbols


class ChunkerNetwork(nnx.Module):
    """An automatizer, which predicts every symbol, and a chunker, which sees the surprising ones.

    A symbol is unexpected if it is the first or if an output of the automatizer was at least
    `surprise` off. Only then does it become an input of the chunker, which learns to predict the
    next unexpected one. One more output of the automatizer learns to predict the chunker's hidden
    units, so that it gets to know early what will be of use late.

    Both are nets of `models.rivals.shortcut`.

    Attributes:
        surprise: smallest error of an output that makes a symbol unexpected.
        automatizer: with outputs for K symbols and for H hidden units of the chunker.
        chunker: with outputs for K symbols.
    """

    def __init__(self, n_in: int, n_out: int, net: "ChunkerNet", rngs: nnx.Rngs):
        self.surprise, self.n_out, H, r = net.surprise, n_out, net.hidden, net.init_range
        self.automatizer = ShortcutNetwork(n_in, H, n_out + H, r, rngs)
        self.chunker = ShortcutNetwork(n_in, H, n_out, r, rngs)

    def __call__(self, inputs: jax.Array, length: jax.Array) -> jax.Array:
        """What the automatizer predicts: net inputs of its outputs for symbols, `[T, K]`."""
        return self.automatizer(inputs, length)[:, : self.n_out]  # FIDELITY R8

    def losses(
        self, inputs: jax.Array, length: jax.Array, targets: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Half the squared errors of both nets over a sequence, `[]`, and the predictions `[T, K]`.

        Args:
            inputs: `[T, m]`, one-hot.
            length: `[]` int32.
            targets: `[T, K]`, the following symbols, one-hot.
        """
        alive = jnp.arange(len(inputs)) < length
        net = self.automatizer(inputs, length)
        predicted = jax.nn.sigmoid(net[:, : self.n_out])
        missed = jnp.any(jnp.abs(predicted - targets) >= self.surprise, -1) & alive  # FIDELITY R7
        unexpected = jnp.concatenate([jnp.ones(1, bool), missed[:-1]])
        state, guess = self._surprised(symbols(inputs), unexpected)
        own = squared_error(guess, targets)  # FIDELITY R9
        wanted = jnp.concatenate([targets, jax.lax.stop_gradient(state)], -1)
        of_steps = jnp.where(alive, squared_error(net, wanted), 0) + jnp.where(missed, own, 0)
        return jnp.sum(of_steps), jnp.where(alive[:, None], predicted, 0)

    def _surprised(self, numbers: jax.Array, unexpected: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The chunker's hidden units `[T, H]` and net inputs of its outputs `[T, K]`."""
        W_x, W_h = self.chunker.W_x[...], self.chunker.W_h[...]

        def one(now, given):
            number, new = given
            u = jax.nn.sigmoid(W_x[number] + now[0] @ W_h)
            now = jax.tree.map(lambda a, b: jnp.where(new, a, b), (u, number), now)
            return now, now

        start = jnp.zeros(len(W_h), W_h.dtype), numbers[0]
        _, (u, latest) = jax.lax.scan(one, start, (numbers, unexpected))
        return u, self.chunker.direct[latest] + u @ self.chunker.kernel


@dataclass(frozen=True)
class ChunkerNet:
    """Recipe of both nets.

    Attributes:
        hidden: hidden units of each.
        init_range: r; initial weights are uniform in [-r, r].
        surprise: smallest error of an output that makes a symbol unexpected.
    """

    hidden: int = 1
    init_range: float = 0.2
    surprise: float = 0.25

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
        n_in, n_out = inputs.shape[-1], targets.shape[-1]
        graph = nnx.graphdef(nnx.eval_shape(lambda: self.build(n_in, n_out, nnx.Rngs(0))))

        def loss(params):
            return nnx.merge(graph, params).losses(inputs, length, targets)

        gradient, outputs = jax.grad(loss, has_aux=True)(params)
        return outputs, jax.tree.map(lambda w, slope: w - rate * slope, params, gradient)
