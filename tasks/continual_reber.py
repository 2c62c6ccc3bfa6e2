"""The continual embedded Reber grammar of Gers, Schmidhuber & Cummins 2000."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from tasks.building import Symbols
from tasks.reber_grammar import ARCS, END, FOLLOW, LEGAL, START, SYMBOLS
from tasks.sequence import BINARY, Chance, Sequence
from tasks.stream import StreamTask

AROUND = np.where(FOLLOW == END, START, FOLLOW)
"""By node and symbol, the next node: behind a string's last symbol the next string starts."""

SECOND = tuple(int(arc[1:]) for arc in ARCS[int(ARCS[START][0][1:])])
"""The nodes behind the T and the P that are the second symbol of a string."""

CHOICES, MEAN_LENGTH = 7, 12
"""Of a string of the embedded grammar, on average: choices between two symbols, and symbols."""


@dataclass(frozen=True)
class ContinualReber(StreamTask):
    """Next symbol of embedded Reber strings that follow each other without a break.

    Gers, Schmidhuber & Cummins 2000. The strings are those of `tasks.reber`, one after the other:
    nothing but the symbols E and B tells where one ends, and a net must forget there by itself.
    With `resets`, its state is set back from outside before every B.

    The choices have 7 bits for a string of 12 symbols, on average: at best 0.583 bits a symbol.

    Shapes: inputs and targets `[length, 7]`, scored at every step.

    Example, BTBTXSETE and the beginning of the next string:

        step     0   1   2   3   4   5   6   7   8   9
        input    B   T   B   T   X   S   E   T   E   B
        target   T   B   T   X   S   E   T   E   B   P
        legal   TP   B  TP  SX  XS   E   T   E   B  TP

    Attributes:
        length: symbols of a stream that is judged, and of a sequence.
        resets: whether a net's state is set back from outside where a string ends.
    """

    resets: bool = False

    alphabet = SYMBOLS
    lag = 5  # FIDELITY T2

    def begin(self) -> jax.Array:
        """The start of a string, `[]` int32."""
        return jnp.asarray(START, jnp.int32)

    def chances(self, state: jax.Array) -> jax.Array:
        """One symbol, or two that are as likely."""
        legal = jnp.asarray(LEGAL, jnp.float32)[state]
        return legal / jnp.maximum(jnp.sum(legal), 1)

    def follow(self, state: jax.Array, symbol: jax.Array) -> jax.Array:
        """The node behind the symbol's arc."""
        return jnp.asarray(AROUND, jnp.int32)[state, symbol]

    def between(self, state: jax.Array) -> jax.Array:
        """Whether a string is about to start."""
        return state == START

    def relevant(self, sequence: Sequence) -> jax.Array:
        """The second symbol of every string, which returns as its last but one, `[T]` bool."""
        return jnp.isin(self.states(sequence.inputs), jnp.asarray(SECOND, jnp.int32))


@dataclass(frozen=True)
class ContinualReberGers00(ContinualReber):
    """As `ContinualReber`, with targets and rule of Gers, Schmidhuber & Cummins 2000.

    Target is every symbol that may come next, one or two, and right is an output within 0.49 of
    it. A constant 1/2 is just too far from both targets.

    Example, the targets of the string above:

        step     0   1   2   3   4   5   6   7   8   9
        input    B   T   B   T   X   S   E   T   E   B
        target  TP   B  TP  SX  XS   E   T   E   B  TP

    Attributes:
        length: symbols of a stream that is judged, and of a sequence.
        resets: whether a net's state is set back from outside where a string ends.
    """

    length: int = 100_000

    tolerance = 0.49  # FIDELITY N1
    objective = BINARY

    @property
    def chance(self) -> Chance:
        """No constant is right, and zero misses the symbols that may come."""
        return Chance(right=0.0, error=(1 + CHOICES / MEAN_LENGTH) / self.n_out)

    def encode(self, symbols: Symbols) -> Sequence:
        """One-hot inputs; as targets all symbols that may come."""
        sequence = super().encode(symbols)
        legal = self.legal(sequence.inputs)
        return sequence._replace(targets=legal.astype(jnp.float32))

    def taught(self, state: jax.Array, symbol: jax.Array) -> jax.Array:
        """All symbols that may come in this state, `[7]`."""
        del symbol
        return (self.chances(state) > 0).astype(jnp.float32)

    def predicted(self, outputs: jax.Array, legal: jax.Array) -> jax.Array:
        """Whether each output is within the tolerance of 1 if its symbol may come, else of 0."""
        return jnp.all(jnp.abs(outputs - legal) < self.tolerance, -1)


GERS00, GERS00_RESETS = ContinualReberGers00(), ContinualReberGers00(resets=True)
