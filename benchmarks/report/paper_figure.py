"""The paper beside ours, row by row: a pure function of the lines of `paper.comparison`."""

from typing import Any

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmarks.report.drawing import NARROW, WIDTH, log_axis

VERDICTS = {
    "agrees": ("#009E73", "o"),
    "faster": ("#0072B2", "<"),
    "slower": ("#E69F00", ">"),
    "fails": ("#D55E00", "X"),
    "incomplete": ("#777777", "s"),
    "no figure": ("#777777", "D"),
}
"""Colour and marker of each verdict."""

ARROW = 1.5  # on the log axis, by this factor to the right


THEIRS: dict[str, Any] = {
    "color": "black",
    "marker": "|",
    "markersize": 13,
    "markeredgewidth": 2,
    "ls": "",
}


def paper(lines: pd.DataFrame) -> Figure:
    """Sequences to success on a log scale, and success rates, of the paper and of ours.

    Ours with 95 % intervals; a mean that an unsolved trial makes a lower bound has an arrow.
    """
    figure = Figure(figsize=(WIDTH, 0.31 * len(lines) + 1.8))
    _rows(figure, lines, "mean sequences to success")
    figure.legend(handles=_handles(lines), loc="outside upper center", ncols=3, frameon=False)
    return figure


def narrow_papers(lines: pd.DataFrame) -> dict[str, Figure]:
    """The same, as wide as a phone: a figure for each table of the paper, by its name."""
    made = {}
    for table, own in lines.groupby(lines["row"].str.partition(".")[0], sort=False):
        figure = Figure(figsize=(NARROW, 0.36 * len(own) + 1.2))
        with rc_context({"font.size": 9}):
            left = _rows(figure, own, "mean sequences to success")
            left.set_yticks(range(len(own)), own["row"])
            place: dict[str, Any] = {
                "transform": left.get_yaxis_transform(),
                "va": "center",
                "fontsize": 8,
            }
            for y, reading in enumerate(_readings(own)):
                left.text(0.02, y - 0.36, reading, **place)
            figure.legend(handles=_handles(own), loc="outside upper center", ncols=3, frameon=False)
        made[f"Table {table}"] = figure
    return made


def _rows(figure: Figure, lines: pd.DataFrame, label: str) -> Axes:
    """Draws the rows; returns the axis of the sequences."""
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(5, 2))
    for y, line in enumerate(lines.itertuples()):
        left.plot(line.paper_sequences, y, **THEIRS)
        if pd.notna(line.paper_success):
            right.plot(line.paper_success, y, **THEIRS)
        if line.trials:
            _ours(left, right, line, y)
        else:
            left.text(line.paper_sequences * ARROW, y, "not run", va="center", color="#777777")
    left.set_yticks(range(len(lines)), _names(lines))
    left.set_ylim(len(lines) - 0.4, -0.6)
    log_axis(left, label)
    right.set_xlabel("solved")
    right.set_xlim(-0.06, 1.06)
    right.set_xticks([0, 0.5, 1], ["0", "", "100 %"])
    for axis in (left, right):
        axis.grid(alpha=0.25)
    return left


def _handles(lines: pd.DataFrame) -> list[Line2D]:
    """The legend's: the paper, and the verdicts that there are."""
    return [Line2D([], [], **THEIRS, label="paper"), *verdict_handles(lines, "ours: ")]


def verdict_handles(lines: pd.DataFrame, before: str = "") -> list[Line2D]:
    """A legend's, of the verdicts that there are; `before` comes before their names."""
    return [
        Line2D([], [], color=color, marker=marker, ls="", label=f"{before}{name}")
        for name, (color, marker) in VERDICTS.items()
        if name in set(lines["verdict"])
    ]


def _names(lines: pd.DataFrame) -> list[str]:
    return [
        f"{line.row}  {name}"
        for line, name in zip(lines.itertuples(), _readings(lines), strict=True)
    ]


def _readings(lines: pd.DataFrame) -> list[str]:
    """The variant of each line, or its task; where there are variants, the literal one says so."""
    literal = ", literal" if lines["variant"].any() else ""
    return [line.variant or line.task + literal for line in lines.itertuples()]


def _ours(left: Axes, right: Axes, line, y: int) -> None:
    color, marker = VERDICTS[line.verdict]
    low, high = (ratio * line.paper_sequences for ratio in (line.ratio_low, line.ratio_high))
    left.plot([low, high], [y, y], color=color, linewidth=2, alpha=0.6)
    left.plot(line.mean, y, color=color, marker=marker, ls="")
    if line.bounded:
        arrow = {"arrowstyle": "->", "color": color, "shrinkA": 0, "shrinkB": 0}
        start = max(high, line.mean)
        left.plot(start * ARROW, y)  # nothing, but the axis must reach there: else no arrow
        left.annotate("", (start * ARROW, y), (start, y), arrowprops=arrow)
    right.plot([line.low, line.high], [y, y], color=color, linewidth=2, alpha=0.6)
    right.plot(line.solved / line.trials, y, color=color, marker=marker, ls="")
