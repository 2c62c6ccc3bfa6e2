"""The LSTM family in NumPy, one sequence, one weight matrix per arrow, backward passes by hand.

As `tests.support.cell_oracles`, for cells with any number of carried vectors: a step takes a
tuple and returns the new one, the output and what its backward pass needs; a backward step takes
the errors on the new tuple and on the output, adds to the gradients `G` and returns the errors on
the old tuple and on the input.
"""

import numpy as np

from tests.support.cell_oracles import back, dsigmoid, dtanh, sigmoid


def gate(w, name, x, h):
    return sigmoid(w["x" + name] @ x + w["h" + name] @ h + w["b_" + name])


def squashed(w, x, h):
    return np.tanh(w["xg"] @ x + w["hg"] @ h + w["b_g"])


def back_into(w, G, d, name, x, h):
    """Errors on x and h from d, that on the net input of a gate or of g."""
    return back(w, G, d, "b_" + name, **{"x" + name: x, "h" + name: h})


def added(*errors):
    return [sum(vectors) for vectors in zip(*errors, strict=True)]


def lstm(w, carry, x):
    c, h = carry
    i, f, o = (gate(w, name, x, h) for name in "ifo")
    g = squashed(w, x, h)
    new = f * c + i * g
    y = o * np.tanh(new)
    return (new, y), y, (c, h, x, i, f, g, o, new)


def lstm_back(w, G, memory, dcarry, dy):
    c, h, x, i, f, g, o, new = memory
    dc, dh = dcarry[0], dcarry[1] + dy
    dc = dc + dh * o * dtanh(np.tanh(new))
    dx, dold = added(
        back_into(w, G, dc * g * dsigmoid(i), "i", x, h),
        back_into(w, G, dc * c * dsigmoid(f), "f", x, h),
        back_into(w, G, dc * i * dtanh(g), "g", x, h),
        back_into(w, G, dh * np.tanh(new) * dsigmoid(o), "o", x, h),
    )
    return (dc * f, dold), dx


def noforgetlstm(w, carry, x):
    c, h = carry
    i, o = (gate(w, name, x, h) for name in "io")
    g = squashed(w, x, h)
    new = c + i * g
    y = o * np.tanh(new)
    return (new, y), y, (h, x, i, g, o, new)


def noforgetlstm_back(w, G, memory, dcarry, dy):
    h, x, i, g, o, new = memory
    dc, dh = dcarry[0], dcarry[1] + dy
    dc = dc + dh * o * dtanh(np.tanh(new))
    dx, dold = added(
        back_into(w, G, dc * g * dsigmoid(i), "i", x, h),
        back_into(w, G, dc * i * dtanh(g), "g", x, h),
        back_into(w, G, dh * np.tanh(new) * dsigmoid(o), "o", x, h),
    )
    return (dc, dold), dx


def coupledlstm(w, carry, x):
    c, h = carry
    f, o = (gate(w, name, x, h) for name in "fo")
    g = squashed(w, x, h)
    new = f * c + (1 - f) * g
    y = o * np.tanh(new)
    return (new, y), y, (c, h, x, f, g, o, new)


def coupledlstm_back(w, G, memory, dcarry, dy):
    c, h, x, f, g, o, new = memory
    dc, dh = dcarry[0], dcarry[1] + dy
    dc = dc + dh * o * dtanh(np.tanh(new))
    dx, dold = added(
        back_into(w, G, dc * (c - g) * dsigmoid(f), "f", x, h),
        back_into(w, G, dc * (1 - f) * dtanh(g), "g", x, h),
        back_into(w, G, dh * np.tanh(new) * dsigmoid(o), "o", x, h),
    )
    return (dc * f, dold), dx


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


def minimallstm(w, carry, x):
    (h,) = carry
    i, f = (sigmoid(w["x" + name] @ x + w["b_" + name]) for name in "if")
    g = w["xg"] @ x + w["b_g"]
    new = f / (f + i) * h + i / (f + i) * g
    return (new,), new, (h, x, i, f, g)


def minimallstm_back(w, G, memory, dcarry, dy):
    h, x, i, f, g = memory
    d = dcarry[0] + dy
    slope = d * (h - g) / (f + i) ** 2
    (xf,) = back(w, G, slope * i * dsigmoid(f), "b_f", xf=x)
    (xi,) = back(w, G, -slope * f * dsigmoid(i), "b_i", xi=x)
    (xg,) = back(w, G, d * i / (f + i), "b_g", xg=x)
    return (d * f / (f + i),), xf + xi + xg


def slstm(w, carry, x):
    """Without the stabiliser: exp of the input gate's net input as it is."""
    c, n, h = carry
    i = np.exp(w["xi"] @ x + w["hi"] @ h + w["b_i"])
    f, o = (gate(w, name, x, h) for name in "fo")
    z = np.tanh(w["xz"] @ x + w["hz"] @ h + w["b_z"])
    new, norm = f * c + i * z, f * n + i
    y = o * new / norm
    return (new, norm, y), y, (c, n, h, x, i, f, z, o, new, norm)


def slstm_back(w, G, memory, dcarry, dy):
    c, n, h, x, i, f, z, o, new, norm = memory
    dh = dcarry[2] + dy
    dc = dcarry[0] + dh * o / norm
    dn = dcarry[1] - dh * o * new / norm**2
    dx, dold = added(
        back_into(w, G, (dc * z + dn) * i, "i", x, h),
        back_into(w, G, (dc * c + dn * n) * dsigmoid(f), "f", x, h),
        back_into(w, G, dc * i * dtanh(z), "z", x, h),
        back_into(w, G, dh * new / norm * dsigmoid(o), "o", x, h),
    )
    return (dc * f, dn * f, dold), dx


def peephole_step(w, carry, x, linear=(), coupled=False, recurrent=False):
    """The LSTM with peepholes; a gate without weights is 1, g or h may be `linear`."""
    c, h, *before = carry

    def opened(name, c):
        if "b_" + name not in w:
            return np.ones_like(c)
        net = w["x" + name] @ x + w["h" + name] @ h + w["p_" + name] * c + w["b_" + name]
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
    return (new, y, *((i, f, o) if recurrent else ())), y, (carry, x, i, f, g, o, new)


def peephole_back(w, G, memory, dcarry, dy, linear=(), coupled=False, recurrent=False):
    (c, h, *before), x, i, f, g, o, new = memory
    dc, dh = dcarry[0], dcarry[1] + dy
    di, df, do = dcarry[2:] if recurrent else (0.0, 0.0, 0.0)
    total, dbefore = [0.0, 0.0], [np.zeros_like(h) for _ in before]

    def shut(name, d, c):
        """Backward of a gate from the error on its value; the error on the c it sees."""
        nonlocal total
        if "b_" + name not in w:
            return 0.0
        total = added(total, back_into(w, G, d, name, x, h))
        G["p_" + name] += d * c
        for k, v, dv in zip("ifo", before, dbefore, strict=False):
            G[k + name] += np.outer(d, v)
            dv += w[k + name].T @ d
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
