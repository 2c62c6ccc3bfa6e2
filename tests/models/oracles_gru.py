"""Cells of the GRU family in NumPy: one sequence, one matrix per arrow, backward passes by hand.

Written from the equations alone: vectors are columns (`W @ x`), nothing is fused, nothing is taken
from `models`. A carry is a tuple of vectors. A step returns the new carry, the output and what its
backward pass needs; a backward step takes the errors on new carry and output, adds to the gradients
`G` and returns the errors on the old carry and on the input.
"""

import numpy as np

from tests.support.cell_oracles import back, dsigmoid, dtanh, sigmoid


def reset_after_gru(w, carry, x):
    (h,) = carry
    r = sigmoid(w["xr"] @ x + w["hr"] @ h + w["b_r"])
    z = sigmoid(w["xz"] @ x + w["hz"] @ h + w["b_z"])
    inside = w["hh"] @ h + w["b_hh"]
    k = np.tanh(w["xh"] @ x + w["b_h"] + r * inside)
    new = z * h + (1 - z) * k
    return (new,), new, (h, x, r, z, k, inside)


def reset_after_gru_back(w, G, memory, d, dy):
    h, x, r, z, k, inside = memory
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


def mut1_separate(w, carry, x):
    (h,) = carry
    z = sigmoid(w["xz"] @ x + w["b_z"])
    r = sigmoid(w["xr"] @ x + w["hr"] @ h + w["b_r"])
    squashed = np.tanh(w["xh"] @ x)
    k = np.tanh(w["hh"] @ (r * h) + squashed + w["b_h"])
    new = z * k + (1 - z) * h
    return (new,), new, (h, x, r, z, k, squashed)


def mut1_separate_back(w, G, memory, d, dy):
    h, x, r, z, k, squashed = memory
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
