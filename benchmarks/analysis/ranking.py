"""One ranking of cells over many tasks, with its uncertainty."""

from collections.abc import Mapping

import jax
import numpy as np
import pandas as pd
import scipy

from benchmarks.analysis.statistics import cost

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
    trials = by_cell(rows, pd.Series(cost(rows), rows.index))
    if not trials:
        return pd.DataFrame(columns=["cell", "tasks", "solved", "rank", "low", "high"])
    solved = by_cell(rows, (rows["outcome"] == "solved").astype(float))
    by_task = list(zip(*trials.values(), strict=True))
    means = np.array([[each.mean() for each in cells] for cells in by_task])
    samples = _samples([list(cells) for cells in by_task])
    low, high = np.quantile(samples, [0.025, 0.975], axis=0)
    found = pd.DataFrame(
        {
            "cell": list(trials),
            "tasks": len(by_task),
            "solved": [np.mean([each.mean() for each in own]) for own in solved.values()],
            "rank": _ranks(means).mean(0),
            "low": low,
            "high": high,
        }
    )
    return found.sort_values(["rank", "cell"]).reset_index(drop=True)


def by_cell(rows: pd.DataFrame, numbers: pd.Series) -> dict[str, list[np.ndarray]]:
    """Numbers of trials by cell, `[task][trial]`; only cells with trials on every task there is.

    Args:
        rows: rows of trials.
        numbers: one of each row.
    """
    at = rows["task"] + "-" + rows["delay"].astype(str)
    trials = {key: group.to_numpy() for key, group in numbers.groupby([at, rows["cell"]])}
    tasks, cells = dict.fromkeys(at), dict.fromkeys(rows["cell"])
    return {
        cell: [trials[task, cell] for task in tasks]
        for cell in cells
        if all((task, cell) in trials for task in tasks)
    }


def _samples(costs: list[list[np.ndarray]]) -> np.ndarray:
    """Mean ranks `[sample, cell]` of bootstrap samples of costs `[task][cell][trial]`."""
    keys = iter(jax.random.split(jax.random.key(0), 1 + sum(map(len, costs))))
    count = len(costs)
    tasks = np.asarray(jax.random.randint(next(keys), (SAMPLES, count), 0, count))
    means = np.array([[_means(next(keys), each) for each in cells] for cells in costs])
    ranks = _ranks(np.moveaxis(means, 2, 0))  # [sample, task, cell]
    return np.take_along_axis(ranks, tasks[..., None], 1).mean(1)


@jax.jit
def _means(key: jax.Array, costs: jax.Array) -> jax.Array:
    """Means `[sample]` of bootstrap samples of trials."""
    return jax.random.choice(key, costs, (SAMPLES, len(costs))).mean(1)


def _ranks(costs: np.ndarray) -> np.ndarray:
    return scipy.stats.rankdata(costs, axis=-1)


def readable(ranks: pd.DataFrame, tried: Mapping[str, str]) -> pd.DataFrame:
    """The ranking as text.

    Args:
        ranks: `ranking`.
        tried: what a search tried over all tasks, by cell, for a last column.
    """
    text = pd.DataFrame(
        {
            "cell": ranks["cell"],
            "rank": ranks["rank"].map("{:.1f}".format),
            "95 %": [f"{r.low:.1f}-{r.high:.1f}" for r in ranks.itertuples()],
            "solved": ranks["solved"].map("{:.0%}".format),
            "tasks": ranks["tasks"],
        }
    )
    return text.assign(tried=[tried.get(cell, "") for cell in text["cell"]]) if tried else text
