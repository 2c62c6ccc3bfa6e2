"""Rows of the paper by readings, the verdict of each as colour and sign."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.analysis import readings
from benchmarks.report.drawing import NARROW, WIDTH
from benchmarks.report.paper_figure import VERDICTS, verdict_handles

CELL = 0.27  # inches of a row


def grid(lines: pd.DataFrame) -> Figure:
    """All rows; the reading that agrees with the most of them is on the left."""
    columns = _columns(lines)
    rows = list(dict.fromkeys(lines["row"]))
    figure = Figure(figsize=(WIDTH, CELL * len(rows) + 3))
    _draw(figure.subplots(), lines, columns, rows)
    figure.legend(
        handles=verdict_handles(lines), loc="outside upper center", ncols=5, frameon=False
    )
    return figure


def narrow_grids(lines: pd.DataFrame) -> dict[str, Figure]:
    """The same, as wide as a phone: half of the readings at a time, by their rank."""
    columns, made = _columns(lines), {}
    rows = list(dict.fromkeys(lines["row"]))
    half = -(-len(columns) // 2)
    for first in range(0, len(columns), half):
        own = columns[first : first + half]
        figure = Figure(figsize=(NARROW, CELL * len(rows) + 2.2))
        with rc_context({"font.size": 9}):
            _draw(figure.subplots(), lines, own, rows)
        made[f"Readings {first + 1} to {first + len(own)}"] = figure
    return made


def _columns(lines: pd.DataFrame) -> list[str]:
    return readings.agreement(lines)["reading"].tolist()


def _draw(axes: Axes, lines: pd.DataFrame, columns: list[str], rows: list[str]) -> None:
    shown = lines[lines["variant"].isin(columns) & (lines["trials"] > 0)]
    for verdict, own in shown.groupby("verdict"):
        color, marker = VERDICTS[verdict]
        x, y = own["variant"].map(columns.index), own["row"].map(rows.index)
        axes.plot(x, y, color=color, marker=marker, ls="", markersize=8)
    axes.set_xticks(range(len(columns)), columns, rotation=90)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xlim(-0.6, len(columns) - 0.4)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(alpha=0.25)
