"""The ungated cells in NumPy, one sequence, backward passes by hand; see `cell_oracles_lstm`."""

import numpy as np

from tests.support.cell_oracles import back, dsigmoid, sigmoid


def relu_units(w, h, x, recurrent):
    net = w["xh"] @ x + recurrent + w["b_h"]
    new = np.where(net > 0, net, 0.0)
    return (new,), new, (h, x, net)


def irnn(w, carry, x):
    (h,) = carry
    return relu_units(w, h, x, w["hh"] @ h)


def irnn_back(w, G, memory, dcarry, dy):
    h, x, net = memory
    dx, dh = back(w, G, (dcarry[0] + dy) * (net > 0), "b_h", xh=x, hh=h)
    return (dh,), dx


def indrnn(w, carry, x):
    (h,) = carry
    return relu_units(w, h, x, w["u"] * h)


def indrnn_back(w, G, memory, dcarry, dy):
    h, x, net = memory
    d = (dcarry[0] + dy) * (net > 0)
    (dx,) = back(w, G, d, "b_h", xh=x)
    G["u"] += d * h
    return (d * w["u"],), dx


def orthogonalrnn(w, carry, x):
    """Reflection by reflection; row k of w["u"] is the vector of reflection k."""
    (h,) = carry
    path = [h]
    for u in w["u"]:
        path.append(path[-1] - 2 * u * (u @ path[-1]) / (u @ u))
    a = w["xh"] @ x + path[-1]
    size = abs(a) + w["b_h"]
    new = np.sign(a) * np.where(size > 0, size, 0.0)
    return (new,), new, (x, path, a, size)


def orthogonalrnn_back(w, G, memory, dcarry, dy):
    x, path, a, size = memory
    d = (dcarry[0] + dy) * (size > 0)
    G["b_h"] += d * np.sign(a)
    G["xh"] += np.outer(d, x)
    dx = w["xh"].T @ d
    for k in reversed(range(len(w["u"]))):
        u, v = w["u"][k], path[k]
        uu, uv, ud = u @ u, u @ v, u @ d
        G["u"][k] += -2 * (uv * d + ud * v) / uu + 4 * uv * ud * u / uu**2
        d = d - 2 * u * ud / uu
    return (d,), dx


def scrn(w, carry, x):
    h, s = carry
    alpha = sigmoid(w["b_alpha"])
    kept = w["xs"] @ x
    slow = alpha * s + (1 - alpha) * kept
    fast = sigmoid(w["xh"] @ x + w["sh"] @ slow + w["hh"] @ h + w["b_h"])
    return (fast, slow), np.concatenate([fast, slow]), (h, s, x, alpha, kept, slow, fast)


def scrn_back(w, G, memory, dcarry, dy):
    h, s, x, alpha, kept, slow, fast = memory
    dfast, dslow = dcarry[0] + dy[: len(fast)], dcarry[1] + dy[len(fast) :]
    dx, ds, dh = back(w, G, dfast * dsigmoid(fast), "b_h", xh=x, sh=slow, hh=h)
    dslow = dslow + ds
    G["b_alpha"] += dslow * (s - kept) * dsigmoid(alpha)
    dkept = dslow * (1 - alpha)
    G["xs"] += np.outer(dkept, x)
    return (dh, dslow * alpha), dx + w["xs"].T @ dkept
