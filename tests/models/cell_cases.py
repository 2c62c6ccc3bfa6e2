"""The cells of the GRU family, linear recurrences and ODE cells, and what a test knows of each."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from models.gru_variants import MGU, MinGRU, ResetAfterGRU
from models.lru import LRU
from models.mut_separate import MUT1Separate, MUT2Separate
from models.ode_cells import LEM, AntisymmetricRNN, CoRNN
from tests.models import family, oracles_gru, oracles_linear, oracles_ode
from tests.models.family import H, build

T = 9

close = functools.partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-13)


@dataclass(frozen=True)
class Case:
    """A cell, its equations in NumPy and what its docstring promises.

    Attributes:
        blocks: weight -> weights of the equations that lie side by side in its columns.
        oracle: step and backward step.
        carries: number of vectors of its carry.
        formula: number of weights, as the docstring gives it, and as a function of n_in and H.
        counts: worked out by hand for (n_in, H) = (1, 1), (2, 3), (8, 16), (100, 7).
        steps: weights of the equations -> the steps that each unit keeps its state for at the
            start, with net inputs at zero.
    """

    cell: type[nnx.RNNCellBase]
    blocks: dict[str, tuple[str, ...]]
    oracle: tuple[Callable, Callable]
    carries: int
    formula: tuple[str, Callable]
    counts: tuple[int, ...]
    steps: Callable


def kept(bias, sign):
    return lambda w: 1 / (1 - oracles_gru.sigmoid(sign * w[bias].astype(float)))


ZRH = {"b": ("b_z", "b_r", "b_h")}
LRU_BLOCKS = {name: (name,) for name in ("nu", "theta", "gamma")} | {
    "W_x": ("b_re", "b_im", "direct"),
    "W_s": ("c",),
}

CASES = {
    case.cell: case
    for case in (
        Case(
            ResetAfterGRU,
            {
                "W_x": ("xr", "xz", "xh"),
                "W_h": ("hr", "hz", "hh"),
                "b": ("b_r", "b_z", "b_h"),
                "b_hh": ("b_hh",),
            },
            (oracles_gru.reset_after_gru, oracles_gru.reset_after_gru_back),
            1,
            ("H (3n_in + 3H + 4)", lambda n, h: h * (3 * n + 3 * h + 4)),
            (10, 57, 1216, 2275),
            kept("b_z", 1),
        ),
        Case(
            MGU,
            {"W_x": ("xf", "xh"), "W_hf": ("hf",), "W_hh": ("hh",), "b": ("b_f", "b_h")},
            (oracles_gru.mgu, oracles_gru.mgu_back),
            1,
            ("2H (n_in + H + 1)", lambda n, h: 2 * h * (n + h + 1)),
            (6, 36, 800, 1512),
            kept("b_f", -1),
        ),
        Case(
            MinGRU,
            {"W_x": ("xz", "xh"), "b": ("b_z", "b_h")},
            (oracles_gru.min_gru, oracles_gru.min_gru_back),
            1,
            ("2H (n_in + 1)", lambda n, h: 2 * h * (n + 1)),
            (4, 18, 288, 1414),
            kept("b_z", -1),
        ),
        Case(
            MUT1Separate,
            {"W_x": ("xz", "xr", "xh"), "W_hr": ("hr",), "W_hh": ("hh",)} | ZRH,
            (oracles_gru.mut1_separate, oracles_gru.mut1_separate_back),
            1,
            ("H (3n_in + 2H + 3)", lambda n, h: h * (3 * n + 2 * h + 3)),
            (8, 45, 944, 2219),
            kept("b_z", -1),
        ),
        Case(
            MUT2Separate,
            {"W_x": ("xz", "xr", "xh"), "W_h": ("hz", "hr"), "W_hh": ("hh",)} | ZRH,
            (oracles_gru.mut2_separate, oracles_gru.mut2_separate_back),
            1,
            ("3H (n_in + H + 1)", lambda n, h: 3 * h * (n + h + 1)),
            (9, 54, 1200, 2268),
            kept("b_z", -1),
        ),
        Case(
            LRU,
            LRU_BLOCKS,
            (oracles_linear.lru, oracles_linear.lru_back),
            2,
            ("H (3n_in + 2H + 3)", lambda n, h: h * (3 * n + 2 * h + 3)),
            (8, 45, 944, 2219),
            lambda w: -1 / np.log(np.exp(-np.exp(w["nu"].astype(float)))),
        ),
        Case(
            AntisymmetricRNN,
            {name: (name,) for name in ("V", "W", "b", "epsilon")},
            (oracles_ode.antisymmetric_rnn, oracles_ode.antisymmetric_rnn_back),
            1,
            ("H ((H - 1)/2 + n_in + 2)", lambda n, h: h * (h - 1) // 2 + h * (n + 2)),
            (3, 15, 280, 735),
            lambda w: 1 / w["epsilon"],
        ),
        Case(
            CoRNN,
            {
                "W_x": ("xz",),
                "W_yz": ("yz",),
                "W_zz": ("zz",),
                "b": ("b_z",),
                "dt": ("dt",),
            },
            (oracles_ode.co_rnn, oracles_ode.co_rnn_back),
            2,
            ("H (n_in + 2H + 2)", lambda n, h: h * (n + 2 * h + 2)),
            (5, 30, 672, 812),
            lambda w: np.array([_envelope(dt) for dt in w["dt"].astype(float)]),
        ),
        Case(
            LEM,
            {
                "W_x": ("xs", "xu", "xz", "xy"),
                "W_y": ("ys", "yu", "yz"),
                "W_zy": ("zy",),
                "b": ("b_s", "b_u", "b_z", "b_y"),
                "dt": ("dt",),
            },
            (oracles_ode.lem, oracles_ode.lem_back),
            2,
            ("H (4n_in + 4H + 5)", lambda n, h: h * (4 * n + 4 * h + 5)),
            (13, 75, 1616, 3031),
            lambda w: 1 / (w["dt"] * oracles_gru.sigmoid(w["b_s"])),
        ),
    )
}


def _envelope(dt):
    """Steps in which a free oscillator of stiffness and damping 1 falls by e."""
    once = np.array([[1 - dt * dt, dt - dt * dt], [-dt, 1 - dt]])  # (y, z) -> new (y, z)
    return -1 / np.log(np.abs(np.linalg.eigvals(once)).max())


def named(case, weights):
    """As `family.named`; the two halves of an LRU's states lie one below the other."""
    found = family.named(case, weights)
    if "c" in found:
        found["c_re"], found["c_im"] = np.split(found.pop("c"), 2, -1)
    return found


def zero(case, hidden=H):
    return (np.zeros(hidden),) * case.carries


def network64(cell):
    """Graph and float64 weights with no weight at zero, a random generator."""
    graph, weights = build(cell)
    rng = np.random.default_rng(0)
    disturbed = jax.tree.map(lambda a: np.asarray(a) + 0.3 * rng.standard_normal(a.shape), weights)
    return graph, jax.tree.map(jnp.asarray, disturbed), rng
