"""Cells in NumPy over one sequence, for oracles whose carry is a tuple of vectors.

A step `(w, carry, x)` returns the new carry, the output and what its backward step needs; a
backward step `(w, G, memory, dcarry, dy)` adds to the gradients `G` and returns the errors on the
old carry and on the input.
"""

import numpy as np


def unroll(step, w, zero, xs):
    """Outputs and memories of all steps."""
    carry, ys, memories = zero, [], []
    for x in xs:
        carry, y, memory = step(w, carry, x)
        ys.append(y)
        memories.append(memory)
    return np.stack(ys), memories


def bptt(step_back, w, memories, errors, zero):
    """Gradients of all weights and of the inputs, from the errors on the outputs of all steps."""
    G = {name: np.zeros_like(value) for name, value in w.items()}
    d, inputs = zero, []
    for memory, error in zip(reversed(memories), reversed(errors), strict=True):
        d, dx = step_back(w, G, memory, d, error)
        inputs.append(dx)
    return G, np.stack(inputs[::-1])
