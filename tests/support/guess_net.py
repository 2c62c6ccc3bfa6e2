"""The nets A1 and A2 in NumPy, float64, by matrices."""

import numpy as np

from tests.support.rivals import f

HIDDEN = {"A1(1)": 1, "A1(2)": 2, "A1(3)": 3, "A2": 10, "A2-": 10}


def matrices(name, weights):
    """Weights by source (input, hidden units, output, bias), for hidden units and for the output.

    The order in the vector is that of the docstring.
    """
    n, given = HIDDEN[name], list(weights)
    to_hidden, to_output = np.zeros((n + 3, n)), np.zeros(n + 3)
    for i in range(n):
        if name.startswith("A1"):
            sources = range(n + 3)
        else:
            sources = [0, n + 1, n + 2] if name == "A2-" else [0, 1 + i, n + 1, n + 2]
        for source in sources:
            to_hidden[source, i] = given.pop(0)
    for source in [*range(n + 1), n + 1 if name.startswith("A1") else n + 2]:
        to_output[source] = given.pop(0)
    assert not given
    return to_hidden, to_output


def oracle(name, weights, line):
    """Activations of the output, by matrices in NumPy, float64."""
    to_hidden, to_output = matrices(name, weights)
    h, o, outputs = np.zeros(HIDDEN[name]), 0.0, []
    for x in line:
        h = f(np.array([x, *h, o, 1.0]) @ to_hidden)
        o = f(np.array([x, *h, o, 1.0]) @ to_output)
        outputs.append(o)
    return np.array(outputs)
