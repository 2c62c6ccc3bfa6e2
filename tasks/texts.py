"""Small synthetic texts, character by character: what examples of such nets speak of, generated."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from tasks.sequence import Sequence
from tasks.stream import StreamTask

KINDS = 3
LETTER = 2 * KINDS


@dataclass(frozen=True)
class Hello(StreamTask):
    """The word "hello" again and again: which letter comes next?

    The example of many lectures on recurrent nets (Karpathy 2015). The smallest text that needs a
    memory: behind an l comes another l or an o. Nothing is random, so 0 bits a character are
    possible.

    Shapes: inputs and targets `[length, 4]`, scored at every step.

    Example, again and again:

        step     0  1  2  3  4  5  6
        input    h  e  l  l  o  h  e
        target   e  l  l  o  h  e  l

    Attributes:
        length: characters of a text that is judged, and of a sequence.
    """

    alphabet = "helo"
    lag = 1  # FIDELITY T2

    def begin(self) -> jax.Array:
        """Place in the word, `[]` int32."""
        return jnp.zeros((), jnp.int32)

    def chances(self, state: jax.Array) -> jax.Array:
        """The letter at that place."""
        letters = jnp.asarray([self.alphabet.index(letter) for letter in "hello"], jnp.int32)
        return (letters[state] == jnp.arange(4)).astype(jnp.float32)

    def follow(self, state: jax.Array, symbol: jax.Array) -> jax.Array:
        """The next place; behind the last, the first one."""
        del symbol
        return (state + 1) % 5

    def between(self, state: jax.Array) -> jax.Array:
        """Whether a word is about to start."""
        return state == 0

    def relevant(self, sequence: Sequence) -> jax.Array:
        """The letters before the first of two l, `[T]` bool."""
        return self.states(sequence.inputs) == 2


class Open(NamedTuple):
    """Brackets that are open.

    Attributes:
        kinds: `[depth]` int32, the kinds of the open ones, outermost first; any behind them.
        height: `[]` int32, how many are open.
    """

    kinds: jax.Array
    height: jax.Array


@dataclass(frozen=True)
class Brackets(StreamTask):
    """Nested brackets of three kinds with letters between: which may be closed now?

    As in programs and formulas, a closing bracket is of the kind of the last one that is still
    open, however long that is ago. A character is a letter (x) with probability 1/2, else a
    bracket: outside of all it opens, at the greatest depth it closes, in between either is as
    likely; kinds are as likely as each other.

    Shapes: inputs and targets `[length, 7]`, scored at every step.

    Example with a depth of 2:

        step      0    1    2    3    4    5    6    7    8
        input     (    x    [    x    ]    )    x    {    x
        target    x    [    x    ]    )    x    {    x    }
        legal  ([{)x ([{)x ]x   ]x ([{)x ([{x ([{x ([{}x ([{}x

    Attributes:
        length: characters of a text that is judged, and of a sequence.
        depth: most brackets that are open.
    """

    depth: int = 4

    alphabet = "([{)]}x"
    lag = 0

    def __post_init__(self):
        super().__post_init__()
        if self.depth < 1:
            raise ValueError(f"depth must be at least 1, not {self.depth}")

    def begin(self) -> Open:
        """Nothing is open."""
        return Open(jnp.zeros(self.depth, jnp.int32), jnp.zeros((), jnp.int32))

    def chances(self, state: Open) -> jax.Array:
        """A letter 1/2, the rest for brackets."""
        opens = jnp.where(state.height == 0, 0.5, jnp.where(state.height == self.depth, 0.0, 0.25))
        kind = jnp.arange(KINDS)
        closed = jnp.where(kind == self._last(state), 0.5 - opens, 0.0)
        return jnp.concatenate([jnp.full(KINDS, opens / KINDS), closed, jnp.full(1, 0.5)])

    def follow(self, state: Open, symbol: jax.Array) -> Open:
        """One more is open, or one less."""
        opens, closes = symbol < KINDS, (symbol >= KINDS) & (symbol < LETTER)
        here = (jnp.arange(self.depth) == state.height) & opens
        return Open(
            jnp.where(here, symbol, state.kinds).astype(jnp.int32),
            state.height + opens.astype(jnp.int32) - closes.astype(jnp.int32),
        )

    def between(self, state: Open) -> jax.Array:
        """Whether nothing is open."""
        return state.height == 0

    def relevant(self, sequence: Sequence) -> jax.Array:
        """The opening brackets, `[T]` bool."""
        return jnp.any(sequence.inputs[:, :KINDS] == 1.0, -1)

    def _last(self, state: Open) -> jax.Array:
        return state.kinds[jnp.maximum(state.height - 1, 0)]


class Quoted(NamedTuple):
    """Where a text with quotations stands.

    Attributes:
        kind: `[]` int32, 0 outside of quotations, else 1 or 2 by the kind of quotation mark.
        letters: `[]` int32, letters since the last mark, counted up to `shortest`.
    """

    kind: jax.Array
    letters: jax.Array


@dataclass(frozen=True)
class Quotes(StreamTask):
    """Text with quotations: with which of two marks does this one end?

    What cells are known to keep in nets trained on texts (Karpathy, Johnson & Fei-Fei 2015).
    Letters a and b, as likely as each other, and two quotation marks, each of which opens and
    closes quotations of its kind. Between two marks are `shortest` letters and then more, each of
    which is followed by the mark with probability 1 / `shortest`; outside of quotations either
    mark opens one. So the kind of a mark has to be kept for at least `shortest` characters,
    2 `shortest` - 1 on average.

    Shapes: inputs and targets `[length, 4]`, scored at every step.

    Example with a shortest quotation of 2 letters:

        step     0   1   2   3   4   5   6   7   8   9
        input    a   b   '   b   a   a   '   b   a   "
        target   b   '   b   a   a   '   b   a   "   a
        legal   ab abq  ab  ab ab' ab'  ab  ab abq  ab      q: either mark

    Attributes:
        length: characters of a text that is judged, and of a sequence.
        shortest: fewest letters between two marks.
    """

    shortest: int = 10

    alphabet = "ab'\""

    def __post_init__(self):
        super().__post_init__()
        if self.shortest < 1:
            raise ValueError(f"shortest must be at least 1, not {self.shortest}")

    @property
    def lag(self) -> int:
        """From a mark to the last letter of the shortest quotation."""
        return self.shortest

    def begin(self) -> Quoted:
        """Outside, at the beginning of the text."""
        return Quoted(jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32))

    def chances(self, state: Quoted) -> jax.Array:
        """Of both letters and both marks."""
        mark = jnp.where(state.letters == self.shortest, 1 / self.shortest, 0.0)
        shares = jnp.asarray([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])[state.kind]
        return jnp.concatenate([jnp.full(2, (1 - mark) / 2), mark * shares]).astype(jnp.float32)

    def follow(self, state: Quoted, symbol: jax.Array) -> Quoted:
        """One more letter, or outside where inside was."""
        letter = symbol < 2
        turned = jnp.where(state.kind == 0, symbol - 1, 0)
        return Quoted(
            jnp.where(letter, state.kind, turned).astype(jnp.int32),
            jnp.where(letter, jnp.minimum(state.letters + 1, self.shortest), 0).astype(jnp.int32),
        )

    def between(self, state: Quoted) -> jax.Array:
        """Whether this is outside of quotations."""
        return state.kind == 0

    def relevant(self, sequence: Sequence) -> jax.Array:
        """The quotation marks, `[T]` bool."""
        return jnp.any(sequence.inputs[:, 2:] == 1.0, -1)
