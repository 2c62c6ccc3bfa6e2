"""One ranking of cells over many tasks, with its uncertainty."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from scipy import stats

SAMPLES = 2000

NOTE = (
    "Rank: on each task, cells are ranked by the mean of sequences to success, unsolved trials "
    "counted with the budget (1: the best; ties share a rank); the mean is over tasks. Intervals: "
    f"95 %, from {SAMPLES} bootstrap samples of the tasks and, of each, of the trials. Solved: the "
    "mean over tasks of the share of solved trials. Ranked are cells that have trials on all tasks "
    "on which any ranked cell has."
)


def ranking(rows: pd.DataFrame) -> pd.DataFrame:
    """Cells by mean rank over the tasks, the best first.

    Args:
        rows: rows of trials of one budget for each task.

    Returns:
        Columns cell, tasks, solved (0 to 1), rank, low, high (95 % interval of the rank); only
        cells with trials on every task that the rows have.
    """
    rows = rows.assign(at=rows["task"] + "-" + rows["delay"].astype(str))
    cost = rows["sequences"].astype(float).fillna(rows["budget"])
    trials = {key: group.to_numpy() for key, group in cost.groupby([rows["at"], rows["cell"]])}
    tasks = list(dict.fromkeys(rows["at"]))
    cells = [c for c in dict.fromkeys(rows["cell"]) if all((t, c) in trials for t in tasks)]
    if not cells:
        return pd.DataFrame(columns=["cell", "tasks", "solved", "rank", "low", "high"])
    solved = (rows["outcome"] == "solved").groupby([rows["cell"], rows["at"]]).mean()
    means = np.array([[trials[task, cell].mean() for cell in cells] for task in tasks])
    samples = _samples([[trials[task, cell] for cell in cells] for task in tasks])
    low, high = np.quantile(samples, [0.025, 0.975], axis=0)
    found = pd.DataFrame(
        {
            "cell": cells,
            "tasks": len(tasks),
            "solved": [solved[cell].mean() for cell in cells],
            "rank": _ranks(means).mean(0),
            "low": low,
            "high": high,
        }
    )
    return found.sort_values(["rank", "cell"]).reset_index(drop=True)


def _samples(costs: list[list[np.ndarray]]) -> np.ndarray:
    """Mean ranks `[sample, cell]` of bootstrap samples of costs `[task][cell][trial]`."""
    keys = iter(jax.random.split(jax.random.key(0), 1 + sum(map(len, costs))))
    count = len(costs)
    tasks = np.asarray(jax.random.randint(next(keys), (SAMPLES, count), 0, count))
    means = np.array([[_means(next(keys), each) for each in cells] for cells in costs])
    ranks = _ranks(np.moveaxis(means, 2, 0))  # [sample, task, cell]
    return np.take_along_axis(ranks, tasks[..., None], 1).mean(1)


def _means(key: jax.Array, costs: np.ndarray) -> np.ndarray:
    """Means `[sample]` of bootstrap samples of trials."""
    return np.asarray(jax.random.choice(key, jnp.asarray(costs), (SAMPLES, len(costs))).mean(1))


def _ranks(costs: np.ndarray) -> np.ndarray:
    return stats.rankdata(costs, axis=-1)


def readable(ranks: pd.DataFrame) -> pd.DataFrame:
    """The ranking as text."""
    return pd.DataFrame(
        {
            "cell": ranks["cell"],
            "rank": ranks["rank"].map("{:.1f}".format),
            "95 %": [f"{r.low:.1f}-{r.high:.1f}" for r in ranks.itertuples()],
            "solved": ranks["solved"].map("{:.0%}".format),
            "tasks": ranks["tasks"],
        }
    )
