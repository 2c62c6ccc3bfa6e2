"""What the oracles share: one sequence in NumPy, a weight matrix per arrow, backward by hand.

They are written from the equations alone: vectors are columns (`W @ x`), nothing is fused, nothing
is taken from `models`. A step `(w, carry, x)` takes a tuple of vectors and returns the new one, the
output and what its backward step needs; a backward step `(w, G, memory, dcarry, dy)` takes the
errors on the new carry and on the output, adds to the gradients `G` and returns the errors on the
old carry and on the input. `tanh'` and `s'` are written by the value of the function.
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def dsigmoid(y):
    return y * (1 - y)


def dtanh(y):
    return 1 - y * y


def back(w, G, d, bias, **sources):
    """Backward of `sum of w[name] @ vector + bias`: adds to G, returns errors on the vectors."""
    if bias:
        G[bias] += d
    for name, vector in sources.items():
        G[name] += np.outer(d, vector)
    return [w[name].T @ d for name in sources]


def activations(*names):
    """Gates by name, from a memory that ends with them."""
    return lambda w, memory: dict(zip(names, memory[-len(names) :], strict=True))


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
