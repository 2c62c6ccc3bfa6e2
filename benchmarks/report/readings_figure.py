"""Rows of the paper by readings, the verdict of each as colour and sign."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.analysis import readings
from benchmarks.report.drawing import NARROW, WIDTH
from benchmarks.report.paper_figure import VERDICTS, verdict_handles

CELL = 0.27  # inches of a row
MOST = 8  # readings side by side on a phone


def grid(lines: pd.DataFrame) -> Figure:
    """All rows; the reading that agrees with the most of them is on the left."""
    columns = _columns(lines)
    rows = list(dict.fromkeys(lines["row"]))
    figure = Figure(figsize=(WIDTH, CELL * len(rows) + 3))
    _draw(figure.subplots(), lines, columns, rows)
    _legend(figure, lines, 5)
    return figure


def narrow_grids(lines: pd.DataFrame) -> dict[str, Figure]:
    """The same, as wide as a phone: some of the readings at a time, by their rank."""
    columns, made = _columns(lines), {}
    rows = list(dict.fromkeys(lines["row"]))
    parts = -(-len(columns) // MOST)
    each = -(-len(columns) // parts)
    for first in range(0, len(columns), each):
        own = columns[first : first + each]
        figure = Figure(figsize=(NARROW, CELL * len(rows) + 2.6))
        with rc_context({"font.size": 9}):
            _draw(figure.subplots(), lines, own, rows)
            _legend(figure, lines, 3)
        made[f"Readings {first + 1} to {first + len(own)}"] = figure
    return made


def _legend(figure: Figure, lines: pd.DataFrame, columns: int) -> None:
    handles = verdict_handles(lines)
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, frameon=False)


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
    axes.set_ylabel("row of the paper's tables")
    axes.set_xlim(-0.6, len(columns) - 0.4)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(alpha=0.25)
