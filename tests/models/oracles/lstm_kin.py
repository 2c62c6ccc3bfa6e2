"""Kin of the LSTM with other equations in NumPy, as `tests.models.oracles.steps` says."""

import numpy as np

from models.lstm_variants import JANET
from models.minimal_lstm import MinimalLSTM
from models.slstm import SLSTM
from tests.models.case import FOUR, TWO, WIDE, Case, H
from tests.models.oracles.lstm import CHRONO, added, back_into, forget_gate, fused
from tests.models.oracles.steps import activations, back, dsigmoid, dtanh, sigmoid


def gate(w, name, x, h):
    return sigmoid(w["x" + name] @ x + w["h" + name] @ h + w["b_" + name])


def squashed(w, x, h):
    return np.tanh(w["xg"] @ x + w["hg"] @ h + w["b_g"])


def janet(w, carry, x):
    (h,) = carry
    a = w["xf"] @ x + w["hf"] @ h + w["b_f"]
    f, i = sigmoid(a), 1 - sigmoid(a - 1)
    g = squashed(w, x, h)
    new = f * h + i * g
    return (new,), new, (h, x, f, i, g)


def janet_back(w, G, memory, dcarry, dy):
    h, x, f, i, g = memory
    d = dcarry[0] + dy
    dx, dold = added(
        back_into(w, G, d * (h * dsigmoid(f) - g * dsigmoid(i)), "f", x, h),
        back_into(w, G, d * i * dtanh(g), "g", x, h),
    )
    return (d * f + dold,), dx


def minimal_lstm(w, carry, x):
    (h,) = carry
    i, f = (sigmoid(w["x" + name] @ x + w["b_" + name]) for name in "if")
    g = w["xg"] @ x + w["b_g"]
    new = f / (f + i) * h + i / (f + i) * g
    return (new,), new, (h, x, i, f, g)


def minimal_lstm_back(w, G, memory, dcarry, dy):
    h, x, i, f, g = memory
    d = dcarry[0] + dy
    slope = d * (h - g) / (f + i) ** 2
    (xf,) = back(w, G, slope * i * dsigmoid(f), "b_f", xf=x)
    (xi,) = back(w, G, -slope * f * dsigmoid(i), "b_i", xi=x)
    (xg,) = back(w, G, d * i / (f + i), "b_g", xg=x)
    return (d * f / (f + i),), xf + xi + xg


def minimal_lstm_gates(w, memory):
    *_, i, f, g = memory
    return {"i": i / (f + i), "f": f / (f + i), "g": g}


def slstm(w, carry, x):
    """Without the stabiliser m: exp of the input gate's net input as it is."""
    c, n, m, h = carry
    i = np.exp(w["xi"] @ x + w["hi"] @ h + w["b_i"])
    f, o = (gate(w, name, x, h) for name in "fo")
    z = np.tanh(w["xz"] @ x + w["hz"] @ h + w["b_z"])
    new, norm = f * c + i * z, f * n + i
    y = o * new / norm
    return (new, norm, m, y), y, (c, n, h, x, i, f, z, o, new, norm)


def slstm_back(w, G, memory, dcarry, dy):
    c, n, h, x, i, f, z, o, new, norm = memory
    dh = dcarry[3] + dy
    dc = dcarry[0] + dh * o / norm
    dn = dcarry[1] - dh * o * new / norm**2
    dx, dold = added(
        back_into(w, G, (dc * z + dn) * i, "i", x, h),
        back_into(w, G, (dc * c + dn * n) * dsigmoid(f), "f", x, h),
        back_into(w, G, dc * i * dtanh(z), "z", x, h),
        back_into(w, G, dh * new / norm * dsigmoid(o), "o", x, h),
    )
    return (dc * f, dn * f, 0.0, dold), dx


def slstm_gates(w, memory):
    """As the stabiliser scales them: the larger of i and f, times the old scale n, becomes 1."""
    _, n, _, _, i, f, z, o, *_ = memory
    scale = np.maximum(f * n, i)
    return {"i": i / scale, "f": f * n / scale, "z": z, "o": o}


CASES = [
    Case(
        JANET,
        fused("fg"),
        janet,
        janet_back,
        TWO,
        gates=activations(*"fig"),
        steps=forget_gate,
        starts={"b_f": CHRONO},
    ),
    Case(
        MinimalLSTM,
        {"W_x": ["xi", "xf", "xg"], "b": ["b_i", "b_f", "b_g"]},
        minimal_lstm,
        minimal_lstm_back,
        ("3H (n_in + 1)", lambda n, h: 3 * h * (n + 1), [6, 27, 216, 960]),
        gates=minimal_lstm_gates,
        steps=lambda w: 1 + sigmoid(w["b_f"]) / sigmoid(w["b_i"]),
    ),
    Case(
        SLSTM,
        fused("ifzo"),
        slstm,
        slstm_back,
        FOUR,
        carried=(H, H, H, H),
        gates=slstm_gates,
        steps=forget_gate,
        starts={"b_f": 5 - 12 * np.linspace(0, 1, WIDE) ** 0.3},
    ),
]
