"""The learning rate of each cell on each task: one small search, the same for every cell.

Every rate of the grid gets the same number of trials and the budget of the suite, on a seed that
reported trials do not use. The rate with the most solved trials wins; among equals the smaller
mean of sequences to success (unsolved trials counted with the budget), then the smaller median
test error, then the smaller rate.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmarks.analysis.statistics import restricted_mean_sequences
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.running.store import write

# FIDELITY S5
GRID = (0.001, 0.003, 0.01, 0.03, 0.1)
TRIALS = 4
SEED = 271828
DEFAULT = 0.01  # of experiments that have not been tuned


def candidates(experiments: Sequence[Experiment]) -> list[Experiment]:
    """The experiments of the search: each of these at every rate of the grid."""
    return [
        replace(each, cell=f"{each.cell}@{rate:g}", rate=rate, trials=TRIALS)
        for each in experiments
        for rate in GRID
    ]


def choose(rows: pd.DataFrame) -> pd.DataFrame:
    """The best rate for each task and cell, over all delays that were searched.

    Returns:
        Columns task, cell, rate, and the evidence for it: solved, trials, mean_sequences,
        test_error.
    """
    rows = rows.assign(cell=rows["cell"].str.partition("@")[0])
    lines = []
    for (task, cell, rate), group in rows.groupby(["task", "cell", "rate"], sort=False):
        lines.append(
            {
                "task": task,
                "cell": cell,
                "rate": rate,
                "solved": int((group["outcome"] == "solved").sum()),
                "trials": len(group),
                "mean_sequences": round(restricted_mean_sequences(group)),
                "test_error": group["test_error"].median(),
            }
        )
    best = pd.DataFrame(lines).sort_values(
        ["solved", "mean_sequences", "test_error", "rate"], ascending=[False, True, True, True]
    )
    return best.drop_duplicates(["task", "cell"]).sort_index().reset_index(drop=True)


def save(chosen: pd.DataFrame, folder: Path) -> None:
    """Writes the chosen rates of a suite; those of other tasks and cells stay."""
    chosen_rates(folder)  # refuses a foreign file
    path = folder / "rates.csv"
    table = pd.concat([_rates(path), chosen]) if path.exists() else chosen
    table = table.drop_duplicates(["task", "cell"], keep="last").sort_values(["task", "cell"])
    write(path, table.to_csv(index=False, lineterminator="\n"))


def chosen_rates(folder: Path) -> dict[tuple[str, str], float]:
    """The chosen rates by task and cell; none if the suite has not been tuned.

    Raises:
        UsageError: the file is there and is not one of rates.
    """
    path = folder / "rates.csv"
    if not path.exists():
        return {}
    try:
        table = _rates(path)
        return {(line.task, line.cell): float(line.rate) for line in table.itertuples()}
    except (OSError, ValueError, AttributeError) as error:
        raise UsageError(f"{path} is not a table of rates; remove it and tune again") from error


def _rates(path: Path) -> pd.DataFrame:
    """The file; a cell may be called NA."""
    return pd.read_csv(path, keep_default_na=False, na_values={"test_error": ["", "nan"]})
