"""The mutants of the GRU in NumPy, as `tests.models.oracles.steps` says."""

import numpy as np

from models.mut import MUT1, MUT2, MUT3
from models.mut_separate import MUT1Separate, MUT2Separate
from tests.models.case import THREE, Case
from tests.models.oracles.gru import kept
from tests.models.oracles.steps import activations, back, dsigmoid, dtanh, sigmoid


def mut1(w, carry, x):
    (h,) = carry
    u = w["xu"] @ x
    z = sigmoid(w["uz"] @ u + w["b_z"])
    r = sigmoid(w["ur"] @ u + w["hr"] @ h + w["b_r"])
    k = np.tanh(w["hh"] @ (r * h) + np.tanh(u) + w["b_h"])
    new = k * z + h * (1 - z)
    return (new,), new, (h, x, u, r, z, k)


def mut1_back(w, G, memory, d, dy):
    h, x, u, r, z, k = memory
    d = d[0] + dy
    dk = d * z * dtanh(k)
    (rh,) = back(w, G, dk, "b_h", hh=r * h)
    (uz,) = back(w, G, d * (k - h) * dsigmoid(z), "b_z", uz=u)
    ur, hr = back(w, G, rh * h * dsigmoid(r), "b_r", ur=u, hr=h)
    du = dk * dtanh(np.tanh(u)) + uz + ur
    G["xu"] += np.outer(du, x)
    return (d * (1 - z) + rh * r + hr,), w["xu"].T @ du


def mut2(w, carry, x):
    (h,) = carry
    u = w["xu"] @ x
    z = sigmoid(w["uz"] @ u + w["hz"] @ h + w["b_z"])
    r = sigmoid(u + w["hr"] @ h + w["b_r"])
    k = np.tanh(w["hh"] @ (r * h) + w["uh"] @ u + w["b_h"])
    new = k * z + h * (1 - z)
    return (new,), new, (h, x, u, r, z, k)


def mut2_back(w, G, memory, d, dy):
    h, x, u, r, z, k = memory
    d = d[0] + dy
    rh, uh = back(w, G, d * z * dtanh(k), "b_h", hh=r * h, uh=u)
    uz, hz = back(w, G, d * (k - h) * dsigmoid(z), "b_z", uz=u, hz=h)
    dr = rh * h * dsigmoid(r)
    (hr,) = back(w, G, dr, "b_r", hr=h)
    du = dr + uz + uh
    G["xu"] += np.outer(du, x)
    return (d * (1 - z) + rh * r + hz + hr,), w["xu"].T @ du


def mut3(w, carry, x):
    (h,) = carry
    z = sigmoid(w["xz"] @ x + w["hz"] @ np.tanh(h) + w["b_z"])
    r = sigmoid(w["xr"] @ x + w["hr"] @ h + w["b_r"])
    k = np.tanh(w["hh"] @ (r * h) + w["xh"] @ x + w["b_h"])
    new = k * z + h * (1 - z)
    return (new,), new, (h, x, r, z, k)


def mut3_back(w, G, memory, d, dy):
    h, x, r, z, k = memory
    d = d[0] + dy
    rh, xh = back(w, G, d * z * dtanh(k), "b_h", hh=r * h, xh=x)
    xz, th = back(w, G, d * (k - h) * dsigmoid(z), "b_z", xz=x, hz=np.tanh(h))
    xr, hr = back(w, G, rh * h * dsigmoid(r), "b_r", xr=x, hr=h)
    return (d * (1 - z) + rh * r + th * dtanh(np.tanh(h)) + hr,), xh + xz + xr


def mut1_separate(w, carry, x):
    (h,) = carry
    z = sigmoid(w["xz"] @ x + w["b_z"])
    r = sigmoid(w["xr"] @ x + w["hr"] @ h + w["b_r"])
    squashed = np.tanh(w["xh"] @ x)
    k = np.tanh(w["hh"] @ (r * h) + squashed + w["b_h"])
    new = z * k + (1 - z) * h
    return (new,), new, (h, x, squashed, r, z, k)


def mut1_separate_back(w, G, memory, d, dy):
    h, x, squashed, r, z, k = memory
    d = d[0] + dy
    dk = d * z * dtanh(k)
    (rh,) = back(w, G, dk, "b_h", hh=r * h)
    (xh,) = back(w, G, dk * dtanh(squashed), None, xh=x)
    xr, hr = back(w, G, rh * h * dsigmoid(r), "b_r", xr=x, hr=h)
    (xz,) = back(w, G, d * (k - h) * dsigmoid(z), "b_z", xz=x)
    return (d * (1 - z) + rh * r + hr,), xh + xr + xz


def mut2_separate(w, carry, x):
    (h,) = carry
    z = sigmoid(w["xz"] @ x + w["hz"] @ h + w["b_z"])
    r = sigmoid(w["xr"] @ x + w["hr"] @ h + w["b_r"])
    k = np.tanh(w["hh"] @ (r * h) + w["xh"] @ x + w["b_h"])
    new = z * k + (1 - z) * h
    return (new,), new, (h, x, r, z, k)


def mut2_separate_back(w, G, memory, d, dy):
    h, x, r, z, k = memory
    d = d[0] + dy
    rh, xh = back(w, G, d * z * dtanh(k), "b_h", hh=r * h, xh=x)
    xr, hr = back(w, G, rh * h * dsigmoid(r), "b_r", xr=x, hr=h)
    xz, hz = back(w, G, d * (k - h) * dsigmoid(z), "b_z", xz=x, hz=h)
    return (d * (1 - z) + rh * r + hr + hz,), xh + xr + xz


def case(cell, blocks, step, back, weights):
    return Case(
        cell,
        blocks | {"W_hh": ["hh"], "b": ["b_z", "b_r", "b_h"]},
        step,
        back,
        weights,
        gates=activations("r", "z", "candidate"),
        steps=kept("b_z", -1),
    )


CASES = [
    case(
        MUT1,
        {"W_xu": ["xu"], "W_u": ["uz", "ur"], "W_hr": ["hr"]},
        mut1,
        mut1_back,
        ("H (n_in + 4H + 3)", lambda n, h: h * (n + 4 * h + 3), [8, 51, 672, 592]),
    ),
    case(
        MUT2,
        {"W_xu": ["xu"], "W_u": ["uz", "uh"], "W_h": ["hz", "hr"]},
        mut2,
        mut2_back,
        ("H (n_in + 5H + 3)", lambda n, h: h * (n + 5 * h + 3), [9, 60, 816, 656]),
    ),
    case(
        MUT3,
        {"W_x": ["xz", "xr", "xh"], "W_hz": ["hz"], "W_hr": ["hr"]},
        mut3,
        mut3_back,
        THREE,
    ),
    case(
        MUT1Separate,
        {"W_x": ["xz", "xr", "xh"], "W_hr": ["hr"]},
        mut1_separate,
        mut1_separate_back,
        ("H (3n_in + 2H + 3)", lambda n, h: h * (3 * n + 2 * h + 3), [8, 45, 504, 1088]),
    ),
    case(
        MUT2Separate,
        {"W_x": ["xz", "xr", "xh"], "W_h": ["hz", "hr"]},
        mut2_separate,
        mut2_separate_back,
        THREE,
    ),
]
