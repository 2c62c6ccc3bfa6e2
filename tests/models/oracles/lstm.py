"""The LSTM and its variants of whole gates in NumPy, as `tests.models.oracles.steps` says."""

import functools

import numpy as np

from models.lstm import LSTM
from models.lstm_variants import ChronoLSTM, CoupledLSTM, NoForgetLSTM
from models.peephole_lstm import CIFG, FGR, NFG, NIAF, NIG, NOAF, NOG, PeepholeLSTM
from tests.models.case import FOUR, THREE, Case, H, uniform
from tests.models.oracles.steps import activations, back, dsigmoid, dtanh, sigmoid

FULL = (f"{FOUR[0]} + 3H", lambda n, h: FOUR[1](n, h) + 3 * h, [15, 81, 900, 1560])
ONE_LESS = (f"{THREE[0]} + 2H", lambda n, h: THREE[1](n, h) + 2 * h, [11, 60, 672, 1168])
ALL_GATES = (f"{FULL[0]} + 9H²", lambda n, h: FULL[1](n, h) + 9 * h * h, [24, 162, 2196, 2136])


def back_into(w, G, d, name, x, h):
    """Errors on x and h from d, that on the net input of a gate or of g."""
    return back(w, G, d, "b_" + name, **{"x" + name: x, "h" + name: h})


def added(*errors):
    return [sum(vectors) for vectors in zip(*errors, strict=True)]


def lstm(w, carry, x, linear=(), coupled=False, recurrent=False):
    """A gate without weights is 1, one may lack its peephole; g or h may be `linear`."""
    c, h, *before = carry

    def opened(name, c):
        if "b_" + name not in w:
            return np.ones_like(c)
        net = w["x" + name] @ x + w["h" + name] @ h + w["b_" + name]
        if "p_" + name in w:
            net = net + w["p_" + name] * c
        if recurrent:
            net = net + sum(w[k + name] @ v for k, v in zip("ifo", before, strict=True))
        return sigmoid(net)

    f = opened("f", c)
    i = 1 - f if coupled else opened("i", c)
    net = w["xg"] @ x + w["hg"] @ h + w["b_g"]
    g = net if "g" in linear else np.tanh(net)
    new = f * c + i * g
    o = opened("o", new)
    y = o * (new if "h" in linear else np.tanh(new))
    return (new, y, *((i, f, o) if recurrent else ())), y, (carry, x, new, i, f, g, o)


def lstm_back(w, G, memory, dcarry, dy, linear=(), coupled=False, recurrent=False):
    (c, h, *before), x, new, i, f, g, o = memory
    dc, dh = dcarry[0], dcarry[1] + dy
    di, df, do = dcarry[2:] if recurrent else (0.0, 0.0, 0.0)
    total, dbefore = [0.0, 0.0], [np.zeros_like(h) for _ in before]

    def shut(name, d, c):
        """Backward of a gate from the error on its value; the error on the c it sees."""
        nonlocal total
        if "b_" + name not in w:
            return 0.0
        total = added(total, back_into(w, G, d, name, x, h))
        for k, v, dv in zip("ifo", before, dbefore, strict=False):
            G[k + name] += np.outer(d, v)
            dv += w[k + name].T @ d
        if "p_" + name not in w:
            return 0.0
        G["p_" + name] += d * c
        return w["p_" + name] * d

    squashed = new if "h" in linear else np.tanh(new)
    dc = dc + dh * o * (1 if "h" in linear else dtanh(squashed))
    dc = dc + shut("o", (do + dh * squashed) * dsigmoid(o), new)
    df, di = df + dc * c, di + dc * g
    if coupled:
        df = df - di
    dold = dc * f + shut("f", df * dsigmoid(f), c) + shut("i", di * dsigmoid(i), c)
    dg = dc * i * (1 if "g" in linear else dtanh(g))
    dx, dh = added(total, back_into(w, G, dg, "g", x, h))
    return (dold, dh, *dbefore), dx


def fused(parts, **more):
    """Blocks of kernels whose columns are those of `parts`."""
    kinds = {"W_x": "x", "W_h": "h", "b": "b_"}
    return {name: [kind + part for part in parts] for name, kind in kinds.items()} | more


def forget_gate(w):
    """Steps that the forget gate keeps the state for."""
    return 1 / (1 - sigmoid(w["b_f"]))


CHRONO = uniform(1, 99, np.exp)


def case(cell, parts, weights, more=(), starts=(), **variant):
    keeps = "f" in parts
    return Case(
        cell,
        fused(parts) | dict(more),
        functools.partial(lstm, **variant),
        functools.partial(lstm_back, **variant),
        weights,
        carried=(H,) * (5 if "recurrent" in variant else 2),
        gates=activations(*"ifgo"),
        steps=forget_gate if keeps else None,
        starts=({"b_f": 1.0} if keeps else {}) | dict(starts),
    )


def peephole(cell, parts, weights, more=(), **variant):
    blocks = {"p": ["p_" + part for part in parts[:-1]], **dict(more)}
    return case(cell, parts, weights, blocks, **variant)


CASES = [
    case(LSTM, "ifgo", FOUR),
    case(
        ChronoLSTM,
        "ifgo",
        FOUR,
        starts={"b_f": CHRONO, "b_i": uniform(1, 99, lambda b: np.exp(-b))},
    ),
    case(NoForgetLSTM, "igo", THREE),
    case(CoupledLSTM, "fgo", THREE, coupled=True),
    peephole(PeepholeLSTM, "ifog", FULL),
    peephole(NIG, "fog", ONE_LESS),
    peephole(NFG, "iog", ONE_LESS),
    peephole(NOG, "ifg", ONE_LESS),
    peephole(NIAF, "ifog", FULL, linear="g"),
    peephole(NOAF, "ifog", FULL, linear="h"),
    peephole(CIFG, "fog", ONE_LESS, coupled=True),
    peephole(
        FGR,
        "ifog",
        ALL_GATES,
        {"W_g": [["ii", "if", "io"], ["fi", "ff", "fo"], ["oi", "of", "oo"]]},
        recurrent=True,
    ),
]
