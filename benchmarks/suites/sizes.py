"""Hidden sizes with which cells have about as many weights as another cell.

Building every cell of a suite at several sizes takes seconds, so the sizes are data, `sizes.csv`,
which `python -m benchmarks.suites.sizes` writes and the tests check.
"""

import functools
import math
from collections.abc import Iterable
from pathlib import Path

import jax
import pandas as pd
from flax import nnx

from benchmarks.suites.cells import EVERY
from models.lstm import LSTM
from models.network import Recurrent

FILE = Path(__file__).with_name("sizes.csv")
UNITS = 16  # of the LSTM whose weights the others match
LARGEST = 2**14  # far more than is ever trained here

WIDTHS = (
    (2, 1),
    (8, 4),
    (12, 2),
    (1, 1),
    (10, 9),
    (7, 7),
)  # inputs and outputs of the tasks of `compare`


@functools.cache
def weights(cell, hidden: int, n_in: int, n_out: int) -> int:
    """Trainable numbers of a network with so many hidden units; a complex one counts as two."""
    network = nnx.eval_shape(lambda: Recurrent(cell, hidden).build(n_in, n_out, nnx.Rngs(0)))
    leaves = jax.tree.leaves(nnx.state(network, nnx.Param))
    return sum(leaf.size * (1 + jax.numpy.iscomplexobj(leaf)) for leaf in leaves)


def matched(cell, target: int, n_in: int, n_out: int) -> int:
    """The hidden size whose number of weights is nearest to the target; the smaller of two.

    Weights grow with the hidden size, in most cells with its square: their root is nearly a line,
    and the size to try next is where the line through the last two reaches the target.
    """

    def root(hidden: int) -> float:
        return math.sqrt(weights(cell, hidden, n_in, n_out))

    low, high = 1, LARGEST
    last, now = UNITS, 2 * UNITS
    while high - low > 1:
        below = weights(cell, now, n_in, n_out) <= target
        low, high = (now, high) if below else (low, now)
        rise = (root(now) - root(last)) / (now - last)
        guess = now + (math.sqrt(target) - root(now)) / rise if rise else (low + high) / 2
        last, now = now, min(max(round(guess), low + 1), high - 1)
    return min((low, high), key=lambda h: abs(weights(cell, h, n_in, n_out) - target))


@functools.cache
def _table() -> dict[tuple[str, int, int], int]:
    rows = pd.read_csv(FILE)
    return {(row.cell, row.n_in, row.n_out): row.hidden for row in rows.itertuples()}


def hidden(cell: str, n_in: int, n_out: int) -> int:
    """Units with which a cell has about the weights of an LSTM with 16, on a task of these widths.

    Raises:
        KeyError: the pair of widths is not in `sizes.csv`.
    """
    return _table()[cell, n_in, n_out]


def _write(widths: Iterable[tuple[int, int]]) -> None:
    rows = [
        (name, n_in, n_out, matched(cell, weights(LSTM, UNITS, n_in, n_out), n_in, n_out))
        for n_in, n_out in widths
        for name, cell in EVERY.items()
    ]
    table = pd.DataFrame(rows, columns=["cell", "n_in", "n_out", "hidden"])
    table.to_csv(FILE, index=False, lineterminator="\n")


if __name__ == "__main__":
    _write(WIDTHS)
