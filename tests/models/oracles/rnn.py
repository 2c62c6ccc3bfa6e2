"""The nets without gates in NumPy, as `tests.models.oracles.steps` says."""

import numpy as np

from models.orthogonal_rnn import OrthogonalRNN
from models.relu_rnn import IRNN, IndRNN
from models.rnn import RNN
from models.scrn import SCRN
from tests.models.case import ONE, WIDE, Case, lecun, uniform
from tests.models.oracles.steps import back, dsigmoid, dtanh, sigmoid


def rnn(w, carry, x):
    (h,) = carry
    new = np.tanh(w["xh"] @ x + w["hh"] @ h + w["b_h"])
    return (new,), new, (h, x, new)


def rnn_back(w, G, memory, dcarry, dy):
    h, x, new = memory
    dx, dh = back(w, G, (dcarry[0] + dy) * dtanh(new), "b_h", xh=x, hh=h)
    return (dh,), dx


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


def keep(share):
    """Steps that a state is kept for where this share of it is left after one."""
    return 1 / (1 - share)


FULL = {"W_xh": ["xh"], "W_hh": ["hh"], "b": ["b_h"]}

CASES = [
    Case(RNN, FULL, rnn, rnn_back, ONE),
    Case(IRNN, FULL, irnn, irnn_back, ONE, starts={"hh": np.eye(WIDE)}),
    Case(
        IndRNN,
        {"W_xh": ["xh"], "u": ["u"], "b": ["b_h"]},
        indrnn,
        indrnn_back,
        ("H (n_in + 2)", lambda n, h: h * (n + 2), [3, 12, 84, 328]),
        steps=lambda w: keep(w["u"]),
        starts={"u": uniform(0, 1)},
    ),
    Case(
        OrthogonalRNN,
        {"W_xh": ["xh"], "U": ["u"], "b": ["b_h"]},
        orthogonalrnn,
        orthogonalrnn_back,
        ONE,
    ),
    Case(
        SCRN,
        {
            "W_x": ["xh", "xs"],
            "W_sh": ["sh"],
            "W_hh": ["hh"],
            "b": ["b_h"],
            "b_alpha": ["b_alpha"],
        },
        scrn,
        scrn_back,
        (
            "H n_in + F (F + S + 1) + S",
            lambda n, h: h * n + (h - h // 2) * (h + 1) + h // 2,
            [None, 15, 144, 352],
        ),
        carried=(3, 2),
        steps=lambda w: keep(sigmoid(w["b_alpha"])),
        starts={"sh": lecun(), "b_alpha": np.log(19)},
    ),
]
