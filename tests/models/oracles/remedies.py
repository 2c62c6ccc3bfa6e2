"""Cells that are remedies for the vanilla net, in NumPy, as `tests.models.oracles.steps` says."""

import numpy as np
import pytest

from models.layer_norm_rnn import LayerNormRNN
from models.leaky_rnn import LeakyRNN
from models.recurrent_highway import RecurrentHighway
from models.rnn import GaussianRNN, SparseRNN
from tests.models.case import ONE, Case, lecun
from tests.models.oracles.rnn import FULL, keep, rnn, rnn_back
from tests.models.oracles.steps import back, dsigmoid, dtanh, sigmoid

DEPTH = 3  # of the highway net, unless it is asked for another


def leaky(w, carry, x):
    (h,) = carry
    alpha = sigmoid(w["b_alpha"])
    new = np.tanh(w["xh"] @ x + w["hh"] @ h + w["b_h"])
    out = alpha * h + (1 - alpha) * new
    return (out,), out, (h, x, alpha, new)


def leaky_back(w, G, memory, dcarry, dy):
    h, x, alpha, new = memory
    d = dcarry[0] + dy
    G["b_alpha"] += d * (h - new) * dsigmoid(alpha)
    dx, dh = back(w, G, d * (1 - alpha) * dtanh(new), "b_h", xh=x, hh=h)
    return (dh + d * alpha,), dx


def layer_norm(w, carry, x):
    (h,) = carry
    a = w["xh"] @ x + w["hh"] @ h
    deviation = np.sqrt(a.var() + 1e-5)
    standard = (a - a.mean()) / deviation
    new = np.tanh(w["g"] * standard + w["b_h"])
    return (new,), new, (h, x, standard, deviation, new)


def layer_norm_back(w, G, memory, dcarry, dy):
    h, x, standard, deviation, new = memory
    d = (dcarry[0] + dy) * dtanh(new)
    G["b_h"] += d
    G["g"] += d * standard
    d = d * w["g"]
    da = (d - d.mean() - standard * (d * standard).mean()) / deviation
    dx, dh = back(w, G, da, None, xh=x, hh=h)
    return (dh,), dx


def highway(w, carry, x):
    (s,) = carry
    passed = []
    for layer in "123":
        u, z = (w[f"s{part}{layer}"] @ s + w[f"b_{part}{layer}"] for part in "uz")
        if layer == "1":
            u, z = u + w["xu"] @ x, z + w["xz"] @ x
        u, z = np.tanh(u), sigmoid(z)
        passed.append((s, u, z))
        s = z * u + (1 - z) * s
    return (s,), s, (x, passed)


def highway_back(w, G, memory, dcarry, dy):
    x, passed = memory
    d, dx = dcarry[0] + dy, np.zeros_like(x)
    for layer, (s, u, z) in zip("321", reversed(passed), strict=True):
        below = d * (1 - z)
        errors = {"u": d * z * dtanh(u), "z": d * (u - s) * dsigmoid(z)}
        for part, error in errors.items():
            (ds,) = back(w, G, error, f"b_{part}{layer}", **{f"s{part}{layer}": s})
            below = below + ds
            if layer == "1":
                G[f"x{part}"] += np.outer(error, x)
                dx = dx + w[f"x{part}"].T @ error
        d = below
    return (d,), dx


PARTS = [f"{part}{layer}" for layer in "123" for part in "uz"]


def sparse(block):
    """Fifteen weights to each unit, and a spectral radius of 1.1."""
    assert set(np.count_nonzero(block, axis=1)) == {15}
    assert np.abs(np.linalg.eigvals(block)).max() == pytest.approx(1.1, rel=0.1)


CASES = [
    Case(GaussianRNN, FULL, rnn, rnn_back, ONE, starts={"hh": lecun()}),
    Case(SparseRNN, FULL, rnn, rnn_back, ONE, starts={"hh": sparse}),
    Case(
        LeakyRNN,
        FULL | {"b_alpha": ["b_alpha"]},
        leaky,
        leaky_back,
        ("H (n_in + H + 2)", lambda n, h: h * (n + h + 2), [4, 21, 228, 392]),
        steps=lambda w: keep(sigmoid(w["b_alpha"])),
        starts={"b_alpha": np.log(9)},
    ),
    Case(
        LayerNormRNN,
        FULL | {"g": ["g"]},
        layer_norm,
        layer_norm_back,
        ("H (n_in + H + 2)", lambda n, h: h * (n + h + 2), [4, 21, 228, 392]),
        starts={"hh": lecun(), "g": 1.0},
    ),
    Case(
        RecurrentHighway,
        {
            "W_x": ["xu", "xz"],
            "W_s": [f"s{each}" for each in PARTS],
            "b": [f"b_{each}" for each in PARTS],
        },
        highway,
        highway_back,
        (
            "2H (n_in + n (H + 1))",
            lambda n, h: 2 * h * (n + DEPTH * (h + 1)),
            [14, 84, 1056, 1056],
        ),
        steps=lambda w: keep(np.prod([1 - sigmoid(w[f"b_z{n}"]) for n in "123"], 0)),
        starts={f"b_z{n}": -2.0 for n in "123"},
    ),
]
