"""The performance profile: which share of all tasks a cell has solved after so many sequences.

As Dolan & More 2002, but against sequences as they are, not as multiples of the best cell's, and
with the share of a task's trials in place of a task that is solved or not.
"""

import itertools
from collections.abc import Iterator, Sequence

import jax
import numpy as np
import pandas as pd

from benchmarks.analysis.ranking import SAMPLES, by_cell

NOTE = (
    "Profile: share of trials solved by then, as the mean over the tasks on which the ranked cells "
    "have trials; a line ends where an unsolved trial is censored. Its interval is from as many "
    "bootstrap samples as that of the rank."
)


def profile(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean over tasks of the share of trials solved, where it may change.

    Args:
        rows: rows of trials of one budget for each task.

    Returns:
        Columns cell, sequences, solved (0 to 1), low, high (95 % interval), for the cells that
        `ranking.ranking` ranks; of each up to the smallest budget at which a trial of its own is
        censored, or, where none is, to the largest of all.
    """
    keys = (jax.random.fold_in(jax.random.key(0), i) for i in itertools.count())
    needed = by_cell(rows, rows["sequences"].astype(float).fillna(np.inf))
    censored = rows["budget"].where(rows["outcome"] != "solved").groupby(rows["cell"]).min()
    ends = censored.fillna(rows["budget"].max())
    points = np.unique([*rows["sequences"].dropna().astype(float), *ends])
    columns = {
        cell: _curve(trials, points[points <= ends[cell]], keys) for cell, trials in needed.items()
    }
    frames = [pd.DataFrame({"cell": cell, **curve}) for cell, curve in columns.items()]
    empty = pd.DataFrame(columns=["cell", "sequences", "solved", "low", "high"])
    return pd.concat(frames, ignore_index=True) if frames else empty


def _curve(
    trials: Sequence[np.ndarray], points: np.ndarray, keys: Iterator[jax.Array]
) -> dict[str, np.ndarray]:
    """Of a cell, from the sequences that its trials need, `[task][trial]`."""
    solved = [each[:, None] <= points for each in trials]
    shares = [_resampled(next(keys), len(each)) @ each for each in solved]  # [sample, point]
    tasks = _resampled(next(keys), len(trials))
    samples = np.einsum("st,tsp->sp", tasks, np.array(shares))
    low, high = np.quantile(samples, [0.025, 0.975], axis=0)
    mean = np.mean([each.mean(0) for each in solved], axis=0)
    return {"sequences": points, "solved": mean, "low": low, "high": high}


def _resampled(key: jax.Array, count: int) -> np.ndarray:
    """Shares `[sample, count]` that each of so many things has in bootstrap samples of them."""
    drawn = np.asarray(jax.random.randint(key, (SAMPLES, count), 0, count))
    return (drawn[..., None] == np.arange(count)).mean(1)
