"""The rivals of 1997 in NumPy, float64: plain loops that share no code with the nets."""

import numpy as np


def f(x):
    return 1 / (1 + np.exp(-x))


def fully_recurrent(W_x, W_h, inputs, targets, rate, at_once):
    """Outputs and weights after one sequence, by the equations of Williams & Zipser.

    p[k][(j, i)] is the derivative of unit k by the weight from source j to unit i.
    """
    W = np.concatenate([W_x, W_h])
    n_in, n = W_x.shape
    n_out = targets.shape[1]
    y, p, used, outputs = np.zeros(n), np.zeros((n, n_in + n, n)), W.copy(), []
    for x, target in zip(inputs, targets, strict=True):
        z = np.concatenate([x, y])
        y_new, p_new = f(used.T @ z), np.zeros_like(p)
        for k in range(n):
            for j in range(n_in + n):
                for i in range(n):
                    through = sum(used[n_in + unit, k] * p[unit, j, i] for unit in range(n))
                    p_new[k, j, i] = y_new[k] * (1 - y_new[k]) * (through + (i == k) * z[j])
        y, p = y_new, p_new
        outputs.append(y[n - n_out :])
        for k, e in enumerate(target - outputs[-1], n - n_out):
            W = W + rate * e * p[k]
        used = W.copy() if at_once else used
    return np.array(outputs), W[:n_in], W[n_in:]


def shortcut_bptt(W_x, W_h, direct, kernel, inputs, targets):
    """Outputs of experiment 2's net and minus the gradient of half the squared error, backwards."""
    u, units = np.zeros(len(W_h)), []
    for x in inputs:
        u = f(x @ W_x + u @ W_h)
        units.append(u)
    outputs = np.array([f(x @ direct + u @ kernel) for x, u in zip(inputs, units, strict=True)])
    moves = [np.zeros_like(w) for w in (W_x, W_h, direct, kernel)]
    later = np.zeros(len(W_h))
    for t in reversed(range(len(inputs))):
        y, u = outputs[t], units[t]
        e = y * (1 - y) * (targets[t] - y)
        before = units[t - 1] if t else np.zeros_like(u)
        e_u = u * (1 - u) * (kernel @ e + later)
        later = W_h @ e_u
        for move, source, error in zip(
            moves, (inputs[t], before, inputs[t], u), (e_u, e_u, e, e), strict=True
        ):
            move += np.outer(source, error)
    return outputs, moves


def elman(W_x, W_h, kernel, inputs, targets, rate, at_once):
    """Outputs and weights after one sequence: a feedforward step each, the context an input."""
    weights = [W_x.copy(), W_h.copy(), kernel.copy()]
    used, context, outputs = [w.copy() for w in weights], np.zeros(len(W_h)), []
    for x, target in zip(inputs, targets, strict=True):
        u = f(used[0].T @ x + used[1].T @ context)
        y = f(used[2].T @ u)
        e = y * (1 - y) * (target - y)
        e_u = u * (1 - u) * (used[2] @ e)
        for w, source, error in zip(weights, (x, context, u), (e_u, e_u, e), strict=True):
            w += rate * np.outer(source, error)
        context = u
        outputs.append(y)
        used = [w.copy() for w in weights] if at_once else used
    return np.array(outputs), weights
