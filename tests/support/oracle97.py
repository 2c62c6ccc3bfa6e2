"""The 1997 network written a second time, in NumPy and float64, straight from the equations.

`truncated` follows equations (19) to (28) with loops over blocks, cells and weights. `sensitivity`
knows nothing of them: it perturbs each weight by an imaginary step, which gives derivatives to
machine precision, and can drop what the perturbation does to recurrent activations.
"""

from typing import NamedTuple

import numpy as np


class Net(NamedTuple):
    """Weights to hidden units `[n_in + H + 1, H]` (inputs, hidden, bias) and to outputs
    `[cells + 1, n_out]`; absent biases are zero. Units: output gates, input gates, cells."""

    blocks: int
    size: int
    hidden: np.ndarray
    readout: np.ndarray


def f(x):
    return 1 / (1 + np.exp(-x))


def h(x):
    return 2 * f(x) - 1


def g(x):
    return 4 * f(x) - 2


def f_slope(x):
    return f(x) * (1 - f(x))


def h_slope(x):
    return 2 * f_slope(x)


def g_slope(x):
    return 4 * f_slope(x)


def truncated(net, inputs, targets, scored, rate=0.0):
    """Outputs, and minus the sum of delta w over all steps at learning rate 1.

    With a rate, the weights of `net` change after every step; those that are zero are absent.
    """
    B, S = net.blocks, net.size
    H = net.hidden.shape[1]
    sources = len(net.hidden)
    u, s = np.zeros(H), np.zeros((B, S))
    ds_in, ds_c = np.zeros((B, S, sources)), np.zeros((B, S, sources))
    to_hidden, to_outputs = np.zeros_like(net.hidden), np.zeros_like(net.readout)
    outputs = []
    for x, target, counts in zip(inputs, targets, scored, strict=True):
        y = np.concatenate([x, u, [1.0]])
        of = net.hidden.T @ y
        net_out, net_in, net_c = of[:B], of[B : 2 * B], of[2 * B :].reshape(B, S)
        y_c = np.zeros((B, S))
        for j in range(B):
            for v in range(S):
                for m in range(sources):
                    ds_in[j, v, m] += g(net_c[j, v]) * f_slope(net_in[j]) * y[m]  # (25)
                    ds_c[j, v, m] += g_slope(net_c[j, v]) * f(net_in[j]) * y[m]  # (27)
                s[j, v] += f(net_in[j]) * g(net_c[j, v])
                y_c[j, v] = f(net_out[j]) * h(s[j, v])
        u = np.concatenate([f(net_out), f(net_in), y_c.ravel()])
        y_to_outputs = np.concatenate([y_c.ravel(), [1.0]])
        net_k = net.readout.T @ y_to_outputs
        outputs.append(f(net_k))
        if not counts:
            continue
        e_k = f_slope(net_k) * (target - f(net_k))  # (19)
        back = (net.readout[:-1] @ e_k).reshape(B, S)
        before = to_hidden.copy(), to_outputs.copy()
        to_outputs += np.outer(y_to_outputs, e_k)  # (22)
        for j in range(B):
            e_out = f_slope(net_out[j]) * np.sum(h(s[j]) * back[j])  # (21)
            to_hidden[:, j] += e_out * y  # (22)
            for v in range(S):
                e_s = f(net_out[j]) * h_slope(s[j, v]) * back[j, v]  # (23)
                to_hidden[:, B + j] += e_s * ds_in[j, v]  # (26)
                to_hidden[:, 2 * B + j * S + v] += e_s * ds_c[j, v]  # (28)
        net.hidden[...] += rate * (to_hidden - before[0]) * (net.hidden != 0)
        net.readout[...] += rate * (to_outputs - before[1]) * (net.readout != 0)
    return np.array(outputs), -to_hidden, -to_outputs


def stepwise(net, inputs, targets, rate):
    """Outputs and changed net, where weights change after every step of a sequence."""
    net = net._replace(hidden=net.hidden.copy(), readout=net.readout.copy())
    outputs, _, _ = truncated(net, inputs, targets, np.full(len(inputs), True), rate)
    return outputs, net


def at_the_end(net, inputs, targets, rate):
    """Outputs and changed net, where weights change at the end of a sequence."""
    outputs, *gradient = truncated(net, inputs, targets, np.full(len(inputs), True))
    moved = zip((net.hidden, net.readout), gradient, strict=True)
    hidden, readout = (w - rate * slope * (w != 0) for w, slope in moved)
    return outputs, net._replace(hidden=hidden, readout=readout)


def sensitivity(net, inputs, targets, scored, cut):
    """Derivatives of half the squared error by every weight.

    With `cut`, a change of a recurrent activation is not passed on, which is the truncation of
    the paper; without it they are the derivatives of the error itself.
    """
    step = 1e-30

    def by(name):
        weights = getattr(net, name)
        found = np.zeros_like(weights)
        for index in np.ndindex(weights.shape):
            moved = weights.astype(complex)
            moved[index] += 1j * step
            error = _error(net._replace(**{name: moved}), inputs, targets, scored, cut)
            found[index] = error.imag / step
        return found

    return by("hidden"), by("readout")


def _error(net, inputs, targets, scored, cut):
    B, S = net.blocks, net.size
    u, s, error = np.zeros(net.hidden.shape[1]), np.zeros(B * S), 0.0
    for x, target, counts in zip(inputs, targets, scored, strict=True):
        of = net.hidden.T @ np.concatenate([x, u.real if cut else u, [1.0]])
        s = s + np.repeat(f(of[B : 2 * B]), S) * g(of[2 * B :])
        y_c = np.repeat(f(of[:B]), S) * h(s)
        u = np.concatenate([f(of[: 2 * B]), y_c])
        if counts:
            error += 0.5 * np.sum((target - f(net.readout.T @ np.append(y_c, 1))) ** 2)
    return error
