"""Figures of many cells, a row for each: where curves would hide each other."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from benchmarks.analysis.statistics import sequences_until
from benchmarks.learning.curves import Quartiles, first_below
from benchmarks.report.drawing import AROUND, LINE, PALETTE, Draw, Look, log_axis

COLOR = PALETTE[2]
LOOKS = {
    "median": Look(COLOR, "o", ""),
    "from quartile to quartile": Look(COLOR, "", "-"),
    "beyond the budget": Look(COLOR, ">", ""),
}


class Row(NamedTuple):
    """What is drawn of a cell.

    Attributes:
        cell: its name.
        quartiles: numbers of training sequences; inf beyond the budget.
        budget: of a trial.
        said: what stands at the right end.
    """

    cell: str
    quartiles: tuple[float, float, float]
    budget: float
    said: str


def curves(lines: pd.DataFrame, rows: pd.DataFrame) -> tuple[dict[str, Draw], dict[str, float]]:
    """Quartiles of sequences to success, and how many trials are solved: `figures.curves` in rows.

    Returns:
        A panel for each task, and the panels' heights.
    """
    ran = lines[lines["trials"] > 0]
    trials = dict(iter(rows.groupby("digest")))
    found = {
        task: [_success(line.cell, trials[line.digest]) for line in own.itertuples()]
        for task, own in ran.groupby("task", sort=False)
    }
    return _panels(found, "training sequences to success")


def _success(cell: str, rows: pd.DataFrame) -> Row:
    low, median, high = (sequences_until(rows, share) for share in (0.25, 0.5, 0.75))
    solved = int((rows["outcome"] == "solved").sum())
    return Row(cell, (low, median, high), rows["budget"].max(), f"{solved}/{len(rows)}")


def learning(
    lines: pd.DataFrame, quartiles: dict[str, Quartiles]
) -> tuple[dict[str, Draw], dict[str, float]]:
    """When half of what a constant output has wrong is right: `figures.learning` in rows.

    Args:
        lines: those with learning curves.
        quartiles: of each, by its digest.

    Returns:
        A panel for each task, and the panels' heights.
    """
    found = {
        task: [
            _halved(line.cell, quartiles[line.digest], (1 - line.chance_right) / 2)
            for line in own.itertuples()
        ]
        for task, own in lines.groupby("task", sort=False)
    }
    return _panels(found, "training sequences until half as wrong")


def _halved(cell: str, curve: Quartiles, level: float) -> Row:
    low, median, high = (
        first_below(curve.sequences, shares, level)
        for shares in (curve.low, curve.median, curve.high)
    )
    return Row(cell, (low, median, high), curve.sequences[-1], f"{curve.median[-1]:.0%}")


def _panels(found: dict[str, list[Row]], label: str) -> tuple[dict[str, Draw], dict[str, float]]:
    draws: dict[str, Draw] = {
        task: partial(_rows, rows=own, label=label) for task, own in found.items()
    }
    return draws, {task: AROUND + LINE * len(own) for task, own in found.items()}


def _rows(axis: Axes, rows: Sequence[Row], label: str) -> None:
    for y, row in enumerate(rows):
        low, median, high = row.quartiles
        if np.isfinite(low):
            end = min(high, row.budget)
            axis.plot([low, end], [y, y], color=COLOR, linewidth=2, alpha=0.6)
            if np.isinf(high):
                axis.plot(end, y, ">", color=COLOR, markersize=4)
        if np.isfinite(median):
            axis.plot(median, y, "o", color=COLOR, markersize=5)
        axis.text(
            1.02,
            y,
            row.said,
            transform=axis.get_yaxis_transform(),
            va="center_baseline",
            fontsize=8,
        )
    budget = max(row.budget for row in rows)
    axis.set_xlim(min(budget / 100, *(row.quartiles[0] for row in rows)) / 1.3, 1.3 * budget)
    log_axis(axis, label)
    axis.set_yticks(range(len(rows)), [row.cell for row in rows], fontsize=8)
    axis.set_ylim(len(rows) - 0.4, -0.6)
