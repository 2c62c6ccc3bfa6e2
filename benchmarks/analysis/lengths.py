"""Generalisation in length: how solved networks do on longer sequences than they learnt from."""

import pandas as pd

from benchmarks.analysis.settings import LENGTHS


def reach(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean share of right sequences of solved networks, with the delay once and more times as long.

    Args:
        rows: rows of trials.

    Returns:
        Columns task (with its delay), cell, times, right (0 to 1), networks (how many were solved
        and tested); only of tasks whose sequences can grow and cells that solved them.
    """
    tested = rows[(rows["outcome"] == "solved") & rows[list(LENGTHS)].notna().any(axis=1)]
    shares = {1: 1 - tested["test_wrong"] / tested["test_size"]}
    shares |= {int(name.partition("_")[2]): tested[name] for name in LENGTHS}
    task = tested["task"] + "-" + tested["delay"].astype(str)
    long = pd.concat(
        pd.DataFrame({"task": task, "cell": tested["cell"], "times": times, "right": right})
        for times, right in shares.items()
    )
    groups = long.groupby(["task", "cell", "times"], sort=False)["right"]
    return groups.agg(right="mean", networks="count").reset_index()
