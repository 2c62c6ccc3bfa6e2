"""A cell, its oracle in NumPy and what its docstring promises; `tests.models.cases` has all."""

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.cell import Cell
from models.network import Recurrent
from tests.models.oracles import steps

N_IN, H, N_OUT, T = 3, 5, 2, 9
WIDE_IN, WIDE = 40, 60  # n_in, H where what is drawn at the start is looked at

close = functools.partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-12)

# Number of weights: as the docstring has it, as a function, worked out by hand for (n_in, H) of
SIZES = [(1, 1), (2, 3), (5, 12), (39, 8)]
ONE = ("H (n_in + H + 1)", lambda n, h: h * (n + h + 1), [3, 18, 216, 384])
TWO = ("2H (n_in + H + 1)", lambda n, h: 2 * h * (n + h + 1), [6, 36, 432, 768])
THREE = ("3H (n_in + H + 1)", lambda n, h: 3 * h * (n + h + 1), [9, 54, 648, 1152])
FOUR = ("4H (n_in + H + 1)", lambda n, h: 4 * h * (n + h + 1), [12, 72, 864, 1536])


@dataclass(frozen=True, eq=False)
class Case:
    """A cell and its oracle.

    Attributes:
        cell: the class.
        blocks: weight of the cell -> weights of the equations side by side in its columns, or a
            list of such rows.
        step: one step in NumPy, (w, carry, x) -> (carry, y, memory).
        back: its backward pass, (w, G, memory, dcarry, dy) -> (dcarry, dx); adds to G.
        weights: number of weights, as the docstring has it, as a function of (n_in, H), and the
            numbers for `SIZES`; None where the cell cannot be that small.
        carried: sizes of the vectors of the carry.
        gates: (w, memory) -> activations of the gates by name; None if the cell shows none.
        steps: weights at the start -> the steps that each unit keeps its state for, with net inputs
            at zero; None if there is no memory to choose.
        starts: weight of the equations -> its value at the start, or a check of what is drawn,
            where that is not what `start` says.
        constants: weights that are not learnt.
    """

    cell: type[Cell]
    blocks: Mapping[str, list]
    step: Callable
    back: Callable
    weights: tuple[str, Callable[[int, int], int], list[int | None]]
    carried: tuple[int, ...] = (H,)
    gates: Callable | None = None
    steps: Callable | None = None
    starts: Mapping[str, float | np.ndarray | Callable] = field(default_factory=dict)
    constants: Collection[str] = ()

    @property
    def zero(self):
        return tuple(np.zeros(n) for n in self.carried)

    def unroll(self, w, xs):
        """Outputs of all steps, and what their backward passes need."""
        return steps.unroll(self.step, w, self.zero, xs)

    def bptt(self, w, memories, errors):
        """Gradients of all weights and of the inputs, from the errors on all outputs."""
        return steps.bptt(self.back, w, memories, errors, self.zero)

    def start(self, name):
        """Value or check of a block: biases and peepholes are 0, recurrent weights orthogonal."""
        usual = {"b": 0.0, "p": 0.0, "x": lecun(), "u": lecun()}
        return self.starts.get(name, usual.get(name[0], orthogonal))


def over(cases):
    """Runs a test over cases."""
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.cell.__name__)


def orthogonal(block):
    np.testing.assert_allclose(block @ block.T, np.eye(len(block)), atol=1e-5)


def lecun(scale=1.0):
    """Mean 0 and variance scale / fan-in."""
    return lambda block: normal(scale / block.shape[1])(block)


def normal(variance):
    """Mean 0 and a variance, up to what chance makes of it."""

    def check(block):
        assert np.var(block) == pytest.approx(variance, rel=0.15)
        assert abs(np.mean(block)) < 0.02

    return check


def uniform(low, high, function=lambda drawn: drawn):
    """A function of what is drawn is uniform, up to what chance makes of it."""

    def check(block):
        values, width = function(block), high - low
        assert low * (1 - 1e-3) <= values.min() <= low * (1 + 1e-3) + width / 10
        assert high * (1 - 1e-3) - width / 10 <= values.max() <= high * (1 + 1e-3)
        error = width / np.sqrt(12 * values.size)
        np.testing.assert_allclose(values.mean(), (low + high) / 2, rtol=1e-3, atol=4 * error)

    return check


def named(case, weights):
    """Weights (or gradients) of a cell under the names of the equations, as `[to, from]`."""
    found = {}
    for attribute, names in case.blocks.items():
        weight = np.asarray(weights[attribute], np.float64)
        rows = names if isinstance(names[0], list) else [names]
        for row, part in zip(rows, np.array_split(weight, len(rows)), strict=True):
            blocks = np.array_split(part, len(row), -1)
            found |= {name: block.T for name, block in zip(row, blocks, strict=True)}
    return found


def pure(weights):
    return nnx.to_pure_dict(weights)


def made(cell, **settings):
    return cell(N_IN, H, **settings, rngs=nnx.Rngs(0))


@functools.cache
def build(model):
    """Graph and weights of a small network; built once, as compiling takes most of the time."""
    with jax.enable_x64(False):
        return nnx.split(model.build(N_IN, N_OUT, nnx.Rngs(0)))


def network64(model):
    """Graph and float64 weights of a network with no weight at zero, a random generator."""
    graph, weights = build(model if hasattr(model, "build") else Recurrent(model, H))
    rng = np.random.default_rng(0)
    return graph, disturbed(weights, rng), rng


def disturbed(weights, rng):
    moved = jax.tree.map(lambda a: np.asarray(a) + 0.3 * rng.standard_normal(a.shape), weights)
    return jax.tree.map(jnp.asarray, moved)


def weights64(cell):
    """Weights of a cell alone, as of `network64`, and inputs of one sequence."""
    _, weights, rng = network64(cell)
    return dict(pure(weights)["cell"]), jnp.asarray(rng.standard_normal((T, N_IN)))


def walk(module, xs):
    """Outputs of all steps, one by one."""
    carry, ys = module.initialize_carry(xs.shape[1:], nnx.Rngs(0)), []
    for x in xs:
        carry, y = module(carry, x)
        ys.append(y)
    return jnp.stack(ys)


def walked(cell, weights, xs):
    """As `walk`, for a cell with given weights."""
    module = made(cell)
    nnx.update(module, weights)
    return walk(module, xs)
