import doctest
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models import lstm_variants, minimal_lstm, peephole_lstm, slstm
from models.lstm import LSTM
from models.lstm_variants import JANET, ChronoLSTM, CoupledLSTM, NoForgetLSTM
from models.minimal_lstm import MinimalLSTM
from models.peephole_lstm import CIFG, FGR, NFG, NIAF, NIG, NOAF, NOG, PeepholeLSTM
from models.slstm import SLSTM
from tests.models import cell_oracles_lstm as oracle
from tests.models import family
from tests.models.family import N_IN, Case, H, over
from tests.support.cell_oracles import sigmoid

FOUR = ("4H (n_in + H + 1)", lambda n, h: 4 * h * (n + h + 1), [32, 72, 864, 1536])
THREE = ("3H (n_in + H + 1)", lambda n, h: 3 * h * (n + h + 1), [24, 54, 648, 1152])
TWO = ("2H (n_in + H + 1)", lambda n, h: 2 * h * (n + h + 1), [16, 36, 432, 768])
PEEPHOLES = (f"{FOUR[0]} + 3H", lambda n, h: FOUR[1](n, h) + 3 * h, [38, 81, 900, 1560])
TWO_PEEPHOLES = (f"{THREE[0]} + 2H", lambda n, h: THREE[1](n, h) + 2 * h, [28, 60, 672, 1168])
FULL = (f"{PEEPHOLES[0]} + 9H²", lambda n, h: PEEPHOLES[1](n, h) + 9 * h * h, [74, 162, 2196, 2136])
GATES_ONLY = ("3H (n_in + 1)", lambda n, h: 3 * h * (n + 1), [12, 27, 216, 960])


def fused(parts, **more):
    """Blocks of kernels whose columns are those of `parts`."""
    kinds = {"W_x": "x", "W_h": "h", "b": "b_"}
    return {name: [kind + part for part in parts] for name, kind in kinds.items()} | more


def forget_gate(w):
    return sigmoid(w["b_f"])


def case(cell, blocks, counts, carried=(H, H), kept=forget_gate):
    name = cell.__name__.lower()
    step, back = getattr(oracle, name), getattr(oracle, name + "_back")
    return Case(cell, blocks, step, back, carried, *counts, kept=kept)


def peephole(cell, parts, counts, more=(), **variant):
    blocks = fused(parts, p=["p_" + part for part in parts[:-1]]) | dict(more)
    step = functools.partial(oracle.peephole_step, **variant)
    back = functools.partial(oracle.peephole_back, **variant)
    carried = (H,) * len(cell.carried)
    return Case(cell, blocks, step, back, carried, *counts, kept=forget_gate)


def normalised_forget_gate(w):
    return sigmoid(w["b_f"]) / (sigmoid(w["b_f"]) + sigmoid(w["b_i"]))


CASES = [
    Case(ChronoLSTM, fused("ifgo"), oracle.lstm, oracle.lstm_back, (H, H), *FOUR, kept=forget_gate),
    case(NoForgetLSTM, fused("igo"), THREE),
    case(CoupledLSTM, fused("fgo"), THREE),
    case(JANET, fused("fg"), TWO, (H,)),
    case(
        MinimalLSTM,
        {"W_x": ["xi", "xf", "xg"], "b": ["b_i", "b_f", "b_g"]},
        GATES_ONLY,
        (H,),
        normalised_forget_gate,
    ),
    case(SLSTM, fused("ifzo"), FOUR, (H, H, H)),
    peephole(PeepholeLSTM, "ifog", PEEPHOLES),
    peephole(NIG, "fog", TWO_PEEPHOLES),
    peephole(NFG, "iog", TWO_PEEPHOLES),
    peephole(NOG, "ifg", TWO_PEEPHOLES),
    peephole(NIAF, "ifog", PEEPHOLES, linear="g"),
    peephole(NOAF, "ifog", PEEPHOLES, linear="h"),
    peephole(CIFG, "fog", TWO_PEEPHOLES, coupled=True),
    peephole(
        FGR,
        "ifog",
        FULL,
        {"W_g": [["ii", "if", "io"], ["fi", "ff", "fo"], ["oi", "of", "oo"]]},
        recurrent=True,
    ),
]
GATED = [case for case in CASES if "memory" in case.cell.settings]


def test_cells_without_a_forget_gate_have_no_memory_to_choose():
    assert {case.cell for case in CASES} - {case.cell for case in GATED} == {NoForgetLSTM, NFG}


@over(CASES)
def test_gates_are_those_of_a_step(case):
    """From a zero state the forget gate keeps what it keeps at the start."""
    cell = case.cell(N_IN, H, rngs=nnx.Rngs(0))
    gates = cell.gates(cell.initialize_carry((N_IN,)), jnp.zeros(N_IN))
    assert {"i", "f"} <= gates.keys()
    if case.cell in {NoForgetLSTM, NFG}:
        np.testing.assert_array_equal(gates["f"], 1)
    elif case.cell is not SLSTM:  # its gates come scaled
        w = family.named(case, family.pure(nnx.state(cell)))
        np.testing.assert_allclose(gates["f"], case.kept(w), rtol=1e-5)


MODULES = [lstm_variants, peephole_lstm, minimal_lstm, slstm]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_run(module):
    failed, attempted = doctest.testmod(module)
    assert attempted > 0
    assert failed == 0


def made(cell):
    return cell(N_IN, H, rngs=nnx.Rngs(0))


def after_a_walk(cell):
    """Outputs of ten steps."""
    carry, ys = cell.initialize_carry((N_IN,)), []
    for x in jax.random.normal(jax.random.key(1), (10, N_IN)):
        carry, y = cell(carry, x)
        ys.append(y)
    return jnp.stack(ys)


same = functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6)


def reordered(kernel, parts, wanted):
    """Columns of a kernel in another order; a name with "-" in front comes negated."""
    blocks = dict(zip(parts, jnp.split(kernel, len(parts), -1), strict=True))
    return jnp.concatenate([-blocks[w[1]] if w[0] == "-" else blocks[w] for w in wanted], -1)


def as_lstm(cell, parts, wanted):
    """The LSTM with the weights of another cell."""
    lstm = made(LSTM)
    for name in ("W_x", "W_h", "b"):
        getattr(lstm, name)[...] = reordered(getattr(cell, name)[...], parts, wanted)
    return lstm


def test_chrono_biases_are_drawn_between_the_two_memories():
    b_i, b_f, *_ = jnp.split(ChronoLSTM(N_IN, 100, rngs=nnx.Rngs(0)).b[...], 4)
    np.testing.assert_array_equal(b_i, -b_f)
    steps = jnp.exp(b_f)  # uniform from 1 to T - 1
    assert 1 <= steps.min() < 10
    assert 90 < steps.max() < 99.01
    np.testing.assert_allclose(steps.mean(), 50, atol=5 * 98 / np.sqrt(12 * 100))


def test_coupled_lstm_is_an_lstm_whose_input_gate_is_the_forget_gate_turned_round():
    cell = made(CoupledLSTM)
    same(after_a_walk(cell), after_a_walk(as_lstm(cell, "fgo", ["-f", "f", "g", "o"])))


def test_peephole_lstm_starts_as_an_lstm():
    cell = made(PeepholeLSTM)
    same(after_a_walk(cell), after_a_walk(as_lstm(cell, "ifog", "ifgo")))


@pytest.mark.parametrize(
    ("cell", "other", "parts", "wanted"),
    [(NFG, NoForgetLSTM, "iog", "igo"), (CIFG, CoupledLSTM, "fog", "fgo")],
    ids=["NFG", "CIFG"],
)
def test_variants_start_as_the_cells_without_peepholes(cell, other, parts, wanted):
    cell, plain = made(cell), made(other)
    for name in ("W_x", "W_h", "b"):
        getattr(plain, name)[...] = reordered(getattr(cell, name)[...], parts, wanted)
    same(after_a_walk(cell), after_a_walk(plain))


def test_full_gate_recurrence_without_it_is_the_peephole_lstm():
    cell, plain = made(FGR), made(PeepholeLSTM)
    cell.W_g[...] *= 0
    for name in ("W_x", "W_h", "b", "p"):
        getattr(plain, name)[...] = getattr(cell, name)[...]
    same(after_a_walk(cell), after_a_walk(plain))


def test_minimal_lstm_runs_all_steps_at_once_as_one_by_one():
    cell = made(MinimalLSTM)
    xs = jax.random.normal(jax.random.key(1), (10, N_IN))
    same(cell.unrolled(xs, jnp.full(10, True)), after_a_walk(cell))
    held = cell.unrolled(xs, jnp.arange(10) < 6)
    np.testing.assert_array_equal(held[6:], jnp.broadcast_to(held[5], (4, H)))


@pytest.mark.parametrize("shut", [(-200.0, -200.0), (200.0, -200.0), (-200.0, 200.0)])
def test_minimal_lstm_divides_by_no_zero(shut):
    cell = made(MinimalLSTM)
    i, f = shut
    cell.b[: 2 * H] = jnp.repeat(jnp.array([i, f]), H)
    ys = after_a_walk(cell)
    assert np.all(np.isfinite(ys))
    share = {0: 0.5, 1: 1.0, -1: 0.0}[np.sign(i - f)]
    gates = cell.gates(jnp.zeros(H), jnp.zeros(N_IN))
    np.testing.assert_allclose(gates["i"], share, atol=1e-6)


@pytest.mark.parametrize("shift", [-300.0, 300.0])
def test_slstm_depends_on_ratios_of_input_gates_only_however_large(shift):
    cell = made(SLSTM)
    expected = after_a_walk(cell)
    cell.b[:H] += shift
    np.testing.assert_allclose(after_a_walk(cell), expected, rtol=1e-3, atol=1e-4)

    def loss(b):
        graph, weights, rest = nnx.split(cell, "b", ...)
        moved = nnx.merge(graph, weights, rest)
        moved.b = nnx.Param(b)
        return jnp.sum(after_a_walk(moved))

    assert np.all(np.isfinite(jax.jit(jax.grad(loss))(cell.b[...])))


def test_slstm_forget_biases_fall_over_the_units():
    b = np.split(np.asarray(SLSTM(N_IN, 13, rngs=nnx.Rngs(0)).b[...]), 4)
    np.testing.assert_allclose(b[1][[0, 6, 12]], [5, 5 - 12 * 0.5**0.3, -7], rtol=1e-6)
    assert np.all(np.diff(b[1]) < 0)
    np.testing.assert_array_equal([b[0], b[2], b[3]], 0)
