"""Cells that step through a differential equation in NumPy, as `tests.models.oracles.steps` says.

Step sizes are constants: they have no gradient.
"""

import numpy as np

from models.ode_cells import LEM, AntisymmetricRNN, CoRNN
from tests.models.case import WIDE, Case, H, lecun, normal
from tests.models.oracles.steps import back, dsigmoid, dtanh, sigmoid

DIFFUSION, STIFFNESS, DAMPING = 0.01, 1.0, 1.0


def triangle(entries, n):
    """What lies above the diagonal, row by row, as a matrix."""
    W, taken = np.zeros((n, n)), 0
    for row in range(n):
        for column in range(row + 1, n):
            W[row, column] = entries[taken]
            taken += 1
    return W


def antisymmetric_rnn(w, carry, x):
    (h,) = carry
    W = triangle(w["W"], len(h))
    a = np.tanh((W - W.T - DIFFUSION * np.eye(len(h))) @ h + w["V"] @ x + w["b"])
    new = h + w["epsilon"] * a
    return (new,), new, (h, x, a)


def antisymmetric_rnn_back(w, G, memory, d, dy):
    h, x, a = memory
    d = d[0] + dy
    da = w["epsilon"] * d * dtanh(a)
    (dx,) = back(w, G, da, "b", V=x)
    outer = np.outer(da, h)
    G["W"] += [outer[i, j] - outer[j, i] for i in range(len(h)) for j in range(i + 1, len(h))]
    W = triangle(w["W"], len(h))
    return (d + (W - W.T - DIFFUSION * np.eye(len(h))).T @ da,), dx


def co_rnn(w, carry, x):
    y, z = carry
    a = np.tanh(w["yz"] @ y + w["zz"] @ z + w["xz"] @ x + w["b_z"])
    z_new = z + w["dt"] * (a - STIFFNESS * y - DAMPING * z)
    y_new = y + w["dt"] * z_new
    return (y_new, z_new), y_new, (y, z, x, a)


def co_rnn_back(w, G, memory, d, dy):
    y, z, x, a = memory
    d_y = d[0] + dy
    d_z = d[1] + w["dt"] * d_y
    step = w["dt"] * d_z
    yz, zz, xz = back(w, G, step * dtanh(a), "b_z", yz=y, zz=z, xz=x)
    return (d_y - STIFFNESS * step + yz, d_z - DAMPING * step + zz), xz


def lem(w, carry, x):
    y, z = carry
    s = sigmoid(w["xs"] @ x + w["ys"] @ y + w["b_s"])
    u = sigmoid(w["xu"] @ x + w["yu"] @ y + w["b_u"])
    k = np.tanh(w["xz"] @ x + w["yz"] @ y + w["b_z"])
    z_new = (1 - w["dt"] * s) * z + w["dt"] * s * k
    q = np.tanh(w["xy"] @ x + w["zy"] @ z_new + w["b_y"])
    y_new = (1 - w["dt"] * u) * y + w["dt"] * u * q
    return (y_new, z_new), y_new, (y, z, x, s, u, k, q, z_new)


def lem_back(w, G, memory, d, dy):
    y, z, x, s, u, k, q, z_new = memory
    dt, d_y = w["dt"], d[0] + dy
    xy, zy = back(w, G, d_y * dt * u * dtanh(q), "b_y", xy=x, zy=z_new)
    xu, yu = back(w, G, d_y * dt * (q - y) * dsigmoid(u), "b_u", xu=x, yu=y)
    d_z = d[1] + zy
    xz, yz = back(w, G, d_z * dt * s * dtanh(k), "b_z", xz=x, yz=y)
    xs, ys = back(w, G, d_z * dt * (k - z) * dsigmoid(s), "b_s", xs=x, ys=y)
    return (d_y * (1 - dt * u) + yu + yz + ys, d_z * (1 - dt * s)), xy + xu + xz + xs


def lem_gates(w, memory):
    _, _, _, s, u, k, q, _ = memory
    return {"dt z": w["dt"] * s, "dt y": w["dt"] * u, "candidate z": k, "candidate y": q}


def fading(dt):
    """Steps in which a free oscillator of stiffness and damping 1 falls by e."""
    once = np.array([[1 - dt * dt, dt - dt * dt], [-dt, 1 - dt]])  # (y, z) -> new (y, z)
    return -1 / np.log(np.abs(np.linalg.eigvals(once)).max())


CASES = [
    Case(
        AntisymmetricRNN,
        {name: [name] for name in ("V", "W", "b", "epsilon")},
        antisymmetric_rnn,
        antisymmetric_rnn_back,
        (
            "H ((H - 1)/2 + n_in + 2)",
            lambda n, h: h * (h - 1) // 2 + h * (n + 2),
            [3, 15, 150, 356],
        ),
        steps=lambda w: 1 / w["epsilon"],
        starts={"V": lecun(), "W": normal(1 / WIDE), "epsilon": 0.01},
        constants={"epsilon"},
    ),
    Case(
        CoRNN,
        {"W_x": ["xz"], "W_yz": ["yz"], "W_zz": ["zz"], "b": ["b_z"], "dt": ["dt"]},
        co_rnn,
        co_rnn_back,
        ("H (n_in + 2H + 2)", lambda n, h: h * (n + 2 * h + 2), [5, 30, 372, 456]),
        carried=(H, H),
        steps=lambda w: np.array([fading(dt) for dt in w["dt"]]),
        starts={"dt": 0.06},
        constants={"dt"},
    ),
    Case(
        LEM,
        {
            "W_x": ["xs", "xu", "xz", "xy"],
            "W_y": ["ys", "yu", "yz"],
            "W_zy": ["zy"],
            "b": ["b_s", "b_u", "b_z", "b_y"],
            "dt": ["dt"],
        },
        lem,
        lem_back,
        ("H (4n_in + 4H + 5)", lambda n, h: h * (4 * n + 4 * h + 5), [13, 75, 876, 1544]),
        carried=(H, H),
        gates=lem_gates,
        steps=lambda w: 1 / (w["dt"] * sigmoid(w["b_s"])),
        starts={"dt": 1.0},
        constants={"dt"},
    ),
]
