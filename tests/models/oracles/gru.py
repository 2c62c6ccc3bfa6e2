"""The GRU and its variants in NumPy, as `tests.models.oracles.steps` says."""

import numpy as np

from models.gru import GRU
from models.gru_variants import MGU, MinGRU, ResetAfterGRU
from tests.models.case import THREE, TWO, Case
from tests.models.oracles.steps import activations, back, dsigmoid, dtanh, sigmoid


def gru(w, carry, x):
    (h,) = carry
    r = sigmoid(w["xr"] @ x + w["hr"] @ h + w["b_r"])
    z = sigmoid(w["xz"] @ x + w["hz"] @ h + w["b_z"])
    k = np.tanh(w["xh"] @ x + w["hh"] @ (r * h) + w["b_h"])
    new = z * h + (1 - z) * k
    return (new,), new, (h, x, r, z, k)


def gru_back(w, G, memory, d, dy):
    h, x, r, z, k = memory
    d = d[0] + dy
    xh, rh = back(w, G, d * (1 - z) * dtanh(k), "b_h", xh=x, hh=r * h)
    xz, hz = back(w, G, d * (h - k) * dsigmoid(z), "b_z", xz=x, hz=h)
    xr, hr = back(w, G, rh * h * dsigmoid(r), "b_r", xr=x, hr=h)
    return (d * z + rh * r + hz + hr,), xh + xz + xr


def reset_after_gru(w, carry, x):
    (h,) = carry
    r = sigmoid(w["xr"] @ x + w["hr"] @ h + w["b_r"])
    z = sigmoid(w["xz"] @ x + w["hz"] @ h + w["b_z"])
    inside = w["hh"] @ h + w["b_hh"]
    k = np.tanh(w["xh"] @ x + w["b_h"] + r * inside)
    new = z * h + (1 - z) * k
    return (new,), new, (h, x, inside, r, z, k)


def reset_after_gru_back(w, G, memory, d, dy):
    h, x, inside, r, z, k = memory
    d = d[0] + dy
    dk = d * (1 - z) * dtanh(k)
    (xh,) = back(w, G, dk, "b_h", xh=x)
    (hh,) = back(w, G, dk * r, "b_hh", hh=h)
    xr, hr = back(w, G, dk * inside * dsigmoid(r), "b_r", xr=x, hr=h)
    xz, hz = back(w, G, d * (h - k) * dsigmoid(z), "b_z", xz=x, hz=h)
    return (d * z + hh + hr + hz,), xh + xr + xz


def mgu(w, carry, x):
    (h,) = carry
    f = sigmoid(w["xf"] @ x + w["hf"] @ h + w["b_f"])
    k = np.tanh(w["xh"] @ x + w["hh"] @ (f * h) + w["b_h"])
    new = (1 - f) * h + f * k
    return (new,), new, (h, x, f, k)


def mgu_back(w, G, memory, d, dy):
    h, x, f, k = memory
    d = d[0] + dy
    xh, fh = back(w, G, d * f * dtanh(k), "b_h", xh=x, hh=f * h)
    xf, hf = back(w, G, (d * (k - h) + fh * h) * dsigmoid(f), "b_f", xf=x, hf=h)
    return (d * (1 - f) + fh * f + hf,), xh + xf


def min_gru(w, carry, x):
    (h,) = carry
    z = sigmoid(w["xz"] @ x + w["b_z"])
    k = w["xh"] @ x + w["b_h"]
    new = (1 - z) * h + z * k
    return (new,), new, (h, x, z, k)


def min_gru_back(w, G, memory, d, dy):
    h, x, z, k = memory
    d = d[0] + dy
    (xh,) = back(w, G, d * z, "b_h", xh=x)
    (xz,) = back(w, G, d * (k - h) * dsigmoid(z), "b_z", xz=x)
    return (d * (1 - z),), xh + xz


def kept(bias, sign):
    """Steps of a gate that keeps the state where it is open (1) or shut (-1)."""
    return lambda w: 1 / (1 - sigmoid(sign * w[bias]))


CASES = [
    Case(
        GRU,
        {
            "W_x": ["xr", "xz", "xh"],
            "W_h": ["hr", "hz"],
            "W_hh": ["hh"],
            "b": ["b_r", "b_z", "b_h"],
        },
        gru,
        gru_back,
        THREE,
        gates=activations("r", "z", "candidate"),
        steps=kept("b_z", 1),
    ),
    Case(
        ResetAfterGRU,
        {
            "W_x": ["xr", "xz", "xh"],
            "W_h": ["hr", "hz", "hh"],
            "b": ["b_r", "b_z", "b_h"],
            "b_hh": ["b_hh"],
        },
        reset_after_gru,
        reset_after_gru_back,
        ("H (3n_in + 3H + 4)", lambda n, h: h * (3 * n + 3 * h + 4), [10, 57, 660, 1160]),
        gates=activations("r", "z", "candidate"),
        steps=kept("b_z", 1),
    ),
    Case(
        MGU,
        {"W_x": ["xf", "xh"], "W_hf": ["hf"], "W_hh": ["hh"], "b": ["b_f", "b_h"]},
        mgu,
        mgu_back,
        TWO,
        gates=activations("f", "candidate"),
        steps=kept("b_f", -1),
    ),
    Case(
        MinGRU,
        {"W_x": ["xz", "xh"], "b": ["b_z", "b_h"]},
        min_gru,
        min_gru_back,
        ("2H (n_in + 1)", lambda n, h: 2 * h * (n + 1), [4, 18, 144, 640]),
        gates=activations("z", "candidate"),
        steps=kept("b_z", -1),
    ),
]
