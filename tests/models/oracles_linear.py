"""The linear recurrent unit in NumPy, as `tests.models.oracles_gru`, in complex numbers.

The error on a complex number is the derivative by its real part plus i times that by its imaginary
part. The answer is multiplied with `s_re - i s_im`, so that it is the real part of C s.
"""

import numpy as np

from tests.support.cell_oracles import back

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
