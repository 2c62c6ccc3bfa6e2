"""Plain-Python re-derivations of the tasks, written from the facts and not from `tasks`."""

import functools
import re
from fractions import Fraction

# --- Reber grammar -------------------------------------------------------------------------------

# The grammar as a regular expression: F4 is what remains at node 4.
_F4 = "(?:XT*VP)*(?:S|XT*VV)E"
_INNER = f"B(?:TS*X{_F4}|PT*V(?:VE|P{_F4}))"
INNER_REBER = re.compile(_INNER)
EMBEDDED_REBER = re.compile(f"B(?:T{_INNER}T|P{_INNER}P)E")

# The same as the graph of the figure.
GRAPH = {
    0: {"B": 1},
    1: {"T": 2, "P": 3},
    2: {"S": 2, "X": 4},
    3: {"T": 3, "V": 5},
    4: {"X": 3, "S": 6},
    5: {"P": 4, "V": 6},
    6: {"E": "end"},
}


def inner_strings(length):
    """All strings of the inner grammar with this length."""
    walks = [("", 0)]
    for _ in range(length):
        walks = [
            (string + symbol, node)
            for string, at in walks
            if at != "end"
            for symbol, node in GRAPH[at].items()
        ]
    return [string for string, node in walks if node == "end"]


def legal_after(prefix):
    """Set of symbols that may follow a prefix of an embedded string; empty if it is not one."""
    if prefix in ("", "B"):
        return {"": {"B"}, "B": {"T", "P"}}[prefix]
    if prefix[0] != "B" or prefix[1] not in "TP":
        return set()
    node = 0
    for i, symbol in enumerate(prefix[2:], 2):
        if node == "end":
            tail = prefix[i:]
            return {"E"} if tail == prefix[1] else set()
        if symbol not in GRAPH[node]:
            return set()
        node = GRAPH[node][symbol]
    return {prefix[1]} if node == "end" else set(GRAPH[node])


@functools.cache
def inner_length_probability(node, length):
    """Probability that a random walk from a node ends after exactly `length` symbols."""
    if node == "end":
        return Fraction(int(length == 0))
    if length <= 0:
        return Fraction(0)
    arcs = GRAPH[node].values()
    return sum(inner_length_probability(to, length - 1) for to in arcs) / len(arcs)


def embedded_length_probability(length):
    """Probability that an embedded string has exactly this length."""
    return inner_length_probability(0, length - 4)


def embedded_probability(string):
    """Probability of an embedded string."""
    choices = sum(len(legal_after(string[:i])) == 2 for i in range(len(string)))
    return Fraction(1, 2**choices)


# --- Pairs ---------------------------------------------------------------------------------------


def hs97_marks(T):
    """Probability of each set of marked pairs, counted from 0, by enumeration."""
    law = {}
    for first in range(10):
        unmarked = [pair for pair in range(T) if pair != first]
        for second in unmarked[: T // 2 - 1]:
            marks = frozenset((first, second))
            law[marks] = law.get(marks, 0) + Fraction(1, 10 * (T // 2 - 1))
    return law


def marked_values(pairs):
    """Values of the pairs whose marker is 1."""
    return [value for value, marker in pairs if marker == 1.0]


def adding_target(pairs):
    """Experiment 4, from the pairs that were shown."""
    return 0.5 + sum(marked_values(pairs)) / 4.0


def multiplication_target(pairs):
    """Experiment 5, from the pairs that were shown."""
    product = 1.0
    for value in marked_values(pairs):
        product *= value
    return product


# --- Temporal order ------------------------------------------------------------------------------

ORDERS = {
    2: {"XX": "Q", "XY": "R", "YX": "S", "YY": "U"},
    3: {
        "XXX": "Q",
        "XXY": "R",
        "XYX": "S",
        "XYY": "U",
        "YXX": "V",
        "YXY": "A",
        "YYX": "B",
        "YYY": "C",
    },
}
ORDER_OUTPUTS = {2: "QRSU", 3: "QRSUVABC"}


def order_output(symbols):
    """Number of the output that should be one, from the symbols that were shown."""
    relevant = "".join(symbol for symbol in symbols if symbol in "XY")
    return ORDER_OUTPUTS[len(relevant)].index(ORDERS[len(relevant)][relevant])
