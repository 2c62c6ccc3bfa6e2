"""The linear recurrent unit in NumPy, as `tests.models.oracles.steps` says, in complex numbers.

The error on a complex number is the derivative by its real part plus i times that by its imaginary
part. The answer is multiplied with `s_re - i s_im`, so that it is the real part of C s.
"""

import numpy as np

from models.lru import LRU
from tests.models.case import Case, H, lecun, uniform
from tests.models.oracles.steps import back

ROOT = np.sqrt(2 / np.pi)


def gelu(a):
    return a / 2 * (1 + np.tanh(ROOT * (a + 0.044715 * a**3)))


def dgelu(a):
    t = np.tanh(ROOT * (a + 0.044715 * a**3))
    return (1 + t) / 2 + a / 2 * (1 - t * t) * ROOT * (1 + 3 * 0.044715 * a**2)


def lru(w, carry, x):
    old = carry[0] + 1j * carry[1]
    lam = np.exp(-np.exp(w["nu"]) + 1j * np.exp(w["theta"]))
    written = (w["b_re"] + 1j * w["b_im"]) @ x
    s = lam * old + np.exp(w["gamma"]) * written
    a = ((w["c_re"] - 1j * w["c_im"]) @ s).real + w["direct"] @ x
    return (s.real, s.imag), gelu(a), (old, x, lam, written, s, a)


def lru_back(w, G, memory, d, dy):
    old, x, lam, written, s, a = memory
    re, im, direct = back(w, G, dy * dgelu(a), None, c_re=s.real, c_im=s.imag, direct=x)
    ds = d[0] + 1j * d[1] + re + 1j * im
    dlam = np.conj(old) * ds
    G["nu"] += (np.conj(-np.exp(w["nu"]) * lam) * dlam).real
    G["theta"] += (np.conj(1j * np.exp(w["theta"]) * lam) * dlam).real
    scale = np.exp(w["gamma"])
    G["gamma"] += scale * (np.conj(written) * ds).real
    u, v = (
        back(w, G, scale * ds.real, None, b_re=x)[0],
        back(w, G, scale * ds.imag, None, b_im=x)[0],
    )
    dold = np.conj(lam) * ds
    return (dold.real, dold.imag), u + v + direct


CASES = [
    Case(
        LRU,
        {
            "nu": ["nu"],
            "theta": ["theta"],
            "gamma": ["gamma"],
            "W_x": ["b_re", "b_im", "direct"],
            "W_s": [["c_re"], ["c_im"]],
        },
        lru,
        lru_back,
        ("H (3n_in + 2H + 3)", lambda n, h: h * (3 * n + 2 * h + 3), [8, 45, 504, 1088]),
        carried=(H, H),
        steps=lambda w: 1 / np.exp(w["nu"]),
        starts={
            "nu": uniform(0, 1, lambda nu: np.exp(-2 * np.exp(nu))),
            "theta": uniform(0, 2 * np.pi, np.exp),
            "gamma": uniform(0, 1, lambda gamma: np.exp(2 * gamma)),
            "b_re": lecun(1 / 2),
            "b_im": lecun(1 / 2),
            "direct": lecun(),
            "c_re": lecun(),
            "c_im": lecun(),
        },
    )
]
