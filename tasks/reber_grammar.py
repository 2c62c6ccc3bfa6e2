"""The Reber grammar and its embedding: automaton, probabilities, legal next symbols."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

SYMBOLS = "BTPSXVE"

INNER = (("B1",), ("T2", "P3"), ("S2", "X4"), ("T3", "V5"), ("X3", "S6"), ("P4", "V6"), ("E7",))
"""The Reber grammar: by node, the symbol of each arc and the node it leads to; 7 is the end."""


def embedded_arcs() -> tuple[tuple[str, ...], ...]:
    """The embedded grammar in the form of `INNER`; node 0 is the start, the last one the end.

    It is B, then one of two copies of the inner grammar, entered by T or by P and left by the
    same symbol, then E.
    """
    copies, n = [], len(INNER)
    for entry, symbol in ((2, "T"), (3 + n, "P")):
        copies += [tuple(f"{arc[0]}{entry + int(arc[1:])}" for arc in arcs) for arcs in INNER]
        copies.append((f"{symbol}{4 + 2 * n}",))
    return (("B1",), ("T2", f"P{3 + n}"), *copies, (f"E{5 + 2 * n}",), ())


ARCS = embedded_arcs()
START, END = 0, len(ARCS) - 1


def _tables():
    """Arcs as arrays: by node and arc its symbol and target; by node and symbol target and law."""
    symbol = np.full((len(ARCS), 2), -1)
    target = np.full((len(ARCS), 2), END)
    follow = np.full((len(ARCS), len(SYMBOLS)), END)
    legal = np.zeros((len(ARCS), len(SYMBOLS)), bool)
    for node, arcs in enumerate(ARCS):
        for i, arc in enumerate(arcs * (2 // max(len(arcs), 1))):  # a lone arc fills both places
            symbol[node, i], target[node, i] = SYMBOLS.index(arc[0]), int(arc[1:])
            follow[node, symbol[node, i]], legal[node, symbol[node, i]] = target[node, i], True
    return symbol, target, follow, legal


ARC_SYMBOL, ARC_TARGET, FOLLOW, LEGAL = _tables()


@functools.cache
def completion(longest: int) -> np.ndarray:
    """Probability that a walk from a node ends within n more symbols, `[longest + 1, nodes]`."""
    table = np.zeros((longest + 1, len(ARCS)))
    table[:, END] = 1.0
    for n in range(1, longest + 1):
        table[n] = table[n - 1][ARC_TARGET].mean(-1)
    return table


@functools.cache
def first_arc(longest: int) -> np.ndarray:
    """Probability of the first of two arcs, given that the string ends in time: `[step, node]`."""
    # Of the `longest` symbols, `longest - 1 - step` are left behind the one chosen at `step`.
    ends = completion(longest)[:longest][::-1][:, ARC_TARGET]
    return ends[..., 0] / np.maximum(ends.sum(-1), np.finfo(float).tiny)


def legal_next(inputs: jax.Array) -> jax.Array:
    """Which symbols may follow each step of one-hot `inputs [T, 7]`: `[T, 7]` bool."""
    follow, legal = jnp.asarray(FOLLOW, jnp.int32), jnp.asarray(LEGAL)

    def walk(node, symbol):
        node = follow[node, symbol]
        return node, legal[node]

    start = jnp.asarray(START, jnp.int32)
    numbers = jnp.int32(inputs @ jnp.arange(len(SYMBOLS), dtype=inputs.dtype))  # argmax is slower
    return jax.lax.scan(walk, start, numbers)[1]
