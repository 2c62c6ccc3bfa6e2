"""The net of 2000 a second time, in NumPy and float64, with loops over blocks and cells.

Nothing here knows of traces: gradients are by an imaginary step in each weight, with recurrent
activations held at what they were without it, which is the truncation of the paper.
"""

from typing import NamedTuple

import numpy as np


class Net(NamedTuple):
    """Weights `[n_in + cells, gates + cells]`, biases `[gates]`, to outputs, their biases.

    Units: output gates, input gates, forget gates if there are any, cells block by block.
    """

    blocks: int
    size: int
    hidden: np.ndarray
    bias: np.ndarray
    readout: np.ndarray
    readout_bias: np.ndarray


def f(x):
    return 1 / (1 + np.exp(-x))


def step(net, s, y, x):
    """States and cell outputs after a step from states s and recurrent activations y."""
    B, S = net.blocks, net.size
    forgets = len(net.bias) == 3 * B
    u = np.concatenate([x, y])

    def net_input(unit):
        return sum(u[m] * net.hidden[m, unit] for m in range(len(u)))

    new_s, new_y = [], []
    for j in range(B):
        y_out = f(net_input(j) + net.bias[j])
        y_in = f(net_input(B + j) + net.bias[B + j])
        y_f = f(net_input(2 * B + j) + net.bias[2 * B + j]) if forgets else 1.0
        for v in range(S):
            cell = j * S + v
            squashed = 4 * f(net_input(len(net.bias) + cell)) - 2
            new_s.append(y_f * s[cell] + y_in * squashed)
            new_y.append(y_out * (2 * f(new_s[-1]) - 1))
    return np.array(new_s), np.array(new_y)


def outputs(net, x, y):
    shortcuts = len(net.readout) > len(y)
    return f((np.concatenate([x, y]) if shortcuts else y) @ net.readout + net.readout_bias)


def run(net, inputs, resets, held=None):
    """Outputs at each step `[T, n_out]` and recurrent activations before it `[T, cells]`.

    `held`: recurrent activations to use in place of the net's own.
    """
    cells = net.blocks * net.size
    s, y, all_outputs, sources = np.zeros(cells), np.zeros(cells), [], []
    for t, x in enumerate(inputs):
        if resets[t]:
            s, y = np.zeros(cells), np.zeros(cells)
        before = y if held is None else held[t]
        sources.append(before)
        s, y = step(net, s, before, x)
        all_outputs.append(outputs(net, x, y))
    return np.array(all_outputs), np.array(sources)


def gradient(net, inputs, resets, target):
    """Truncated gradient of half the squared error at the last step, shaped like the weights."""
    tiny = 1e-30
    _, held = run(net, inputs, resets)
    found = []
    for name in net._fields[2:]:
        weights = getattr(net, name)
        slope = np.zeros_like(weights)
        for place in np.ndindex(*weights.shape):
            moved = weights.astype(complex)
            moved[place] += 1j * tiny
            out = run(net._replace(**{name: moved}), inputs, resets, held)[0][-1]
            slope[place] = np.imag(0.5 * np.sum((target - out) ** 2)) / tiny
        found.append(slope)
    return found
