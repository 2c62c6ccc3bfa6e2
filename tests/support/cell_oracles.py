"""The cells again in NumPy, one sequence, one weight matrix per arrow, backward passes by hand.

Written from the equations alone: vectors are columns (`W @ x`), nothing is fused, nothing is
taken from `models`. A step returns the new carry and what its backward pass needs; a backward
step takes the error on the new carry, adds to the gradients `G` and returns the error on the old
carry and on the input. `tanh'` and `s'` are written by the value of the function.
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


def rnn(w, h, x):
    new = np.tanh(w["xh"] @ x + w["hh"] @ h + w["b_h"])
    return new, (h, x, new)


def rnn_back(w, G, memory, d):
    h, x, new = memory
    dx, dh = back(w, G, d * dtanh(new), "b_h", xh=x, hh=h)
    return dh, dx


def lstm(w, carry, x):
    c, h = carry
    i = sigmoid(w["xi"] @ x + w["hi"] @ h + w["b_i"])
    f = sigmoid(w["xf"] @ x + w["hf"] @ h + w["b_f"])
    g = np.tanh(w["xg"] @ x + w["hg"] @ h + w["b_g"])
    o = sigmoid(w["xo"] @ x + w["ho"] @ h + w["b_o"])
    new = f * c + i * g
    return (new, o * np.tanh(new)), (c, h, x, i, f, g, o, new)


def lstm_back(w, G, memory, d):
    c, h, x, i, f, g, o, new = memory
    dc, dh = d
    dc = dc + dh * o * dtanh(np.tanh(new))
    xi, hi = back(w, G, dc * g * dsigmoid(i), "b_i", xi=x, hi=h)
    xf, hf = back(w, G, dc * c * dsigmoid(f), "b_f", xf=x, hf=h)
    xg, hg = back(w, G, dc * i * dtanh(g), "b_g", xg=x, hg=h)
    xo, ho = back(w, G, dh * np.tanh(new) * dsigmoid(o), "b_o", xo=x, ho=h)
    return (dc * f, hi + hf + hg + ho), xi + xf + xg + xo


def gru(w, h, x):
    r = sigmoid(w["xr"] @ x + w["hr"] @ h + w["b_r"])
    z = sigmoid(w["xz"] @ x + w["hz"] @ h + w["b_z"])
    k = np.tanh(w["xh"] @ x + w["hh"] @ (r * h) + w["b_h"])
    return z * h + (1 - z) * k, (h, x, r, z, k)


def gru_back(w, G, memory, d):
    h, x, r, z, k = memory
    xh, rh = back(w, G, d * (1 - z) * dtanh(k), "b_h", xh=x, hh=r * h)
    xz, hz = back(w, G, d * (h - k) * dsigmoid(z), "b_z", xz=x, hz=h)
    xr, hr = back(w, G, rh * h * dsigmoid(r), "b_r", xr=x, hr=h)
    return d * z + rh * r + hz + hr, xh + xz + xr


def mut1(w, h, x):
    u = w["xu"] @ x
    z = sigmoid(w["uz"] @ u + w["b_z"])
    r = sigmoid(w["ur"] @ u + w["hr"] @ h + w["b_r"])
    k = np.tanh(w["hh"] @ (r * h) + np.tanh(u) + w["b_h"])
    return k * z + h * (1 - z), (h, x, u, r, z, k)


def mut1_back(w, G, memory, d):
    h, x, u, r, z, k = memory
    dk = d * z * dtanh(k)
    (rh,) = back(w, G, dk, "b_h", hh=r * h)
    (uz,) = back(w, G, d * (k - h) * dsigmoid(z), "b_z", uz=u)
    ur, hr = back(w, G, rh * h * dsigmoid(r), "b_r", ur=u, hr=h)
    du = dk * dtanh(np.tanh(u)) + uz + ur
    G["xu"] += np.outer(du, x)
    return d * (1 - z) + rh * r + hr, w["xu"].T @ du


def mut2(w, h, x):
    u = w["xu"] @ x
    z = sigmoid(w["uz"] @ u + w["hz"] @ h + w["b_z"])
    r = sigmoid(u + w["hr"] @ h + w["b_r"])
    k = np.tanh(w["hh"] @ (r * h) + w["uh"] @ u + w["b_h"])
    return k * z + h * (1 - z), (h, x, u, r, z, k)


def mut2_back(w, G, memory, d):
    h, x, u, r, z, k = memory
    rh, uh = back(w, G, d * z * dtanh(k), "b_h", hh=r * h, uh=u)
    uz, hz = back(w, G, d * (k - h) * dsigmoid(z), "b_z", uz=u, hz=h)
    dr = rh * h * dsigmoid(r)
    (hr,) = back(w, G, dr, "b_r", hr=h)
    du = dr + uz + uh
    G["xu"] += np.outer(du, x)
    return d * (1 - z) + rh * r + hz + hr, w["xu"].T @ du


def mut3(w, h, x):
    z = sigmoid(w["xz"] @ x + w["hz"] @ np.tanh(h) + w["b_z"])
    r = sigmoid(w["xr"] @ x + w["hr"] @ h + w["b_r"])
    k = np.tanh(w["hh"] @ (r * h) + w["xh"] @ x + w["b_h"])
    return k * z + h * (1 - z), (h, x, r, z, k)


def mut3_back(w, G, memory, d):
    h, x, r, z, k = memory
    rh, xh = back(w, G, d * z * dtanh(k), "b_h", hh=r * h, xh=x)
    xz, th = back(w, G, d * (k - h) * dsigmoid(z), "b_z", xz=x, hz=np.tanh(h))
    xr, hr = back(w, G, rh * h * dsigmoid(r), "b_r", xr=x, hr=h)
    return d * (1 - z) + rh * r + th * dtanh(np.tanh(h)) + hr, xh + xz + xr


def unroll(step, w, zero, xs):
    """Carries after every step and the memories of all steps."""
    carry, carries, memories = zero, [], []
    for x in xs:
        carry, memory = step(w, carry, x)
        carries.append(carry)
        memories.append(memory)
    return carries, memories


def bptt(step_back, w, memories, errors, zero):
    """Gradients of all weights and of the inputs, from the errors on the outputs h of all steps."""
    G = {name: np.zeros_like(value) for name, value in w.items()}
    d, inputs = zero, []
    for memory, error in zip(reversed(memories), reversed(errors), strict=True):
        d = (d[0], d[1] + error) if isinstance(d, tuple) else d + error
        d, dx = step_back(w, G, memory, d)
        inputs.append(dx)
    return G, np.stack(inputs[::-1])
