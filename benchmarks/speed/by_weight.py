"""Time of a cell for each of its weights and each step: pure functions of a measurement's rows."""

import functools

import jax
import pandas as pd
from flax import nnx

from benchmarks.speed import plan, rows
from benchmarks.speed.rows import Spread
from benchmarks.suites import sizes
from benchmarks.suites.cells import EVERY
from models.network import Recurrent
from tasks.adding import Adding

AT_MOST = 1.5  # times the LSTM's
TITLE = "Every cell at equal weights, time for each weight and step"
COLUMNS = ["cell", "units", "weights", "ns", "x lstm", ""]

RULES = (
    "Weight and step: the time of an update over its steps (of all sequences, padding not counted) "
    "and the weights of the cell, biases included, readout not, at the size of equal weights."
)


@functools.cache
def weights(name: str) -> int:
    """Weights of a cell, without readout, at the size at which every cell is timed."""
    task = Adding(100)
    units = sizes.hidden(name, task.n_in, task.n_out)
    network = nnx.eval_shape(
        lambda: Recurrent(EVERY[name], units).build(task.n_in, task.n_out, nnx.Rngs(0))
    )
    return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(network.cell, nnx.Param)))


def lines(measured: pd.DataFrame) -> pd.DataFrame:
    """A row for each cell that was timed at equal weights, in the order of measuring.

    Columns: cell, units, weights, ns (`Spread`, for each weight and step), ratio (`Spread`, over
    the LSTM's, repetition by repetition).
    """
    own = measured[(measured["section"] == plan.CELLS) & measured["seconds"].notna()]
    found = []
    for group, name in own[["group", "alternative"]].drop_duplicates().itertuples(index=False):
        ns, lstm = (_nanoseconds(measured, group, cell) for cell in (name, "lstm"))
        found.append(
            {
                "cell": name,
                "units": sizes.hidden(name, Adding.n_in, Adding.n_out),
                "weights": weights(name),
                "ns": Spread.of(ns),
                "ratio": Spread.of(ns / lstm),
            }
        )
    return pd.DataFrame(found, columns=["cell", "units", "weights", "ns", "ratio"])


def _nanoseconds(measured: pd.DataFrame, group: str, name: str) -> pd.Series:
    """For each weight and step, by repetition."""
    own = rows.of(measured, plan.CELLS, group, name)
    steps = own["delay"].map(plan.mean_length)
    return 1e9 * rows.cost(own) / steps / weights(name)


def slowest(measured: pd.DataFrame) -> Spread | None:
    """The largest ratio of `lines`; None where nothing was timed."""
    return max(lines(measured)["ratio"], default=None)


def columns(measured: pd.DataFrame) -> pd.DataFrame:
    """The readable form of `lines`, and whether each cell keeps to `AT_MOST`; as text."""
    return pd.DataFrame(
        [
            (
                line.cell,
                str(line.units),
                str(line.weights),
                f"{line.ns.median:.3g}",
                "" if line.cell == "lstm" else str(line.ratio),
                "met" if line.ratio.median <= AT_MOST else "missed",
            )
            for line in lines(measured).itertuples()
        ],
        columns=COLUMNS,
    )
