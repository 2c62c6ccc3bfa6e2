"""Tasks without an end: streams of symbols, each of which is to be predicted from those before it.

A stream has a source, a Markov chain: its state says how likely each symbol is to come next, and
the symbol that comes says what the next state is. Whoever wants a stream as long as it goes on
follows the source; a *sequence* of such a task is a stream's beginning.
"""

import abc
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from tasks.building import Symbols, SymbolTask, draw_bits, unit
from tasks.sequence import Chance, Sequence, Verdict, most_active


@dataclass(frozen=True)
class StreamTask(SymbolTask):
    """Base of the tasks whose sequences are the beginnings of endless streams.

    Right is a stream of `length` symbols during which the symbols that may come next are always
    strictly more active than all others.

    Shapes: inputs and targets `[length, n]`, scored at every step.

    Attributes:
        alphabet: a character for each of the n symbols.
        resets: whether a net's state is set back from outside where a string of the stream ends.
        length: symbols of a stream that is judged, and of a sequence.
    """

    length: int = 1000

    alphabet: ClassVar[str]
    resets = False
    every_step = True
    tolerance = float("nan")

    def __post_init__(self):
        if self.length < 2:
            raise ValueError(f"length must be at least 2, not {self.length}")

    @property
    def n_in(self) -> int:
        """One input for each symbol."""
        return len(self.alphabet)

    @property
    def n_out(self) -> int:
        """One output for each symbol."""
        return len(self.alphabet)

    @property
    def steps(self) -> int:
        """As many as are judged."""
        return self.length

    @property
    def chance(self) -> Chance:
        """No constant is right, and zero misses one output by 1."""
        return Chance(right=0.0, error=1 / self.n_out)

    @property
    @abc.abstractmethod
    def lag(self) -> int:
        """Fewest steps between the last relevant symbol and where it counts."""

    @abc.abstractmethod
    def relevant(self, sequence: Sequence) -> jax.Array:
        """The symbols that must be remembered, `[T]` bool."""

    @abc.abstractmethod
    def begin(self) -> Any:
        """State of the source before the first symbol, arrays without axes."""

    @abc.abstractmethod
    def chances(self, state: Any) -> jax.Array:
        """How likely each symbol is to come next, `[n]` float32; 0 if it may not."""

    @abc.abstractmethod
    def follow(self, state: Any, symbol: jax.Array) -> Any:
        """State of the source after a symbol that may come; of no meaning after another."""

    @abc.abstractmethod
    def between(self, state: Any) -> jax.Array:
        """Whether the stream is between two of its strings, `[]` bool."""

    def draw(self, state: Any, word: jax.Array) -> jax.Array:
        """The next symbol, `[]` int32, from a random word."""
        up_to = jnp.cumsum(self.chances(state))
        # Rounded sums may end below 1: the last symbol that may come has what is left.
        return jnp.argmax(unit(word) < jnp.where(up_to < up_to[-1], up_to, 2)).astype(jnp.int32)

    def symbols(self, key: jax.Array) -> Symbols:
        """Draws the beginning of a stream as symbol numbers."""

        def one(state, word):
            symbol = self.draw(state, word)
            return self.follow(state, symbol), symbol

        words = draw_bits(key, self.length + 1)
        _, stream = jax.lax.scan(one, self.begin(), words)
        return Symbols(stream[:-1], stream[1:], jnp.asarray(self.length, jnp.int32))

    def states(self, inputs: jax.Array) -> Any:
        """States of the source after each of these symbols, `[T, ...]`; one-hot `[T, n]`."""

        def one(state, symbol):
            state = self.follow(state, symbol)
            return state, state

        return jax.lax.scan(one, self.begin(), jnp.argmax(inputs, -1).astype(jnp.int32))[1]

    def legal(self, inputs: jax.Array) -> jax.Array:
        """Which symbols may follow each of one-hot `inputs [T, n]`: `[T, n]` bool."""
        return jax.vmap(self.chances)(self.states(inputs)) > 0

    def predicted(self, outputs: jax.Array, legal: jax.Array) -> jax.Array:
        """Whether outputs `[..., n]` tell which symbols may come, `[..., n]` bool; `[...]` bool."""
        return most_active(outputs, legal)

    def judge(self, outputs: jax.Array, sequence: Sequence) -> Verdict:
        """Right if what may come next is predicted at every step."""
        right = self.predicted(outputs, self.legal(sequence.inputs)) | ~sequence.scored
        errors = jnp.mean(jnp.abs(outputs - sequence.targets), -1)
        error = jnp.sum(jnp.where(sequence.scored, errors, 0.0)) / jnp.sum(sequence.scored)
        return Verdict(error=error, wrong=~jnp.all(right))

    def taught(self, state: Any, symbol: jax.Array) -> jax.Array:
        """Targets `[n]` where `symbol` comes in this state of the source: the symbol, one-hot."""
        del state
        return (symbol == jnp.arange(self.n_out)).astype(jnp.float32)
