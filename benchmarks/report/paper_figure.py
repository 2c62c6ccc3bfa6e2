"""The paper beside ours, row by row: a pure function of the lines of `paper.comparison`."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.report.figures import WIDTH, log_axis

VERDICTS = {
    "agrees": ("#009E73", "o"),
    "faster": ("#0072B2", "<"),
    "slower": ("#E69F00", ">"),
    "fails": ("#D55E00", "X"),
    "incomplete": ("#777777", "s"),
}
"""Colour and marker of each verdict."""

ARROW = 1.5  # on the log axis, by this factor to the right


def paper(lines: pd.DataFrame) -> Figure:
    """Sequences to success on a log scale, and success rates, of the paper and of ours.

    Ours with 95 % intervals; a mean that an unsolved trial makes a lower bound has an arrow.
    """
    figure = Figure(figsize=(WIDTH, 0.31 * len(lines) + 1.8))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(5, 2))
    theirs = {"color": "black", "marker": "|", "markersize": 13, "markeredgewidth": 2, "ls": ""}
    handles = [left.plot([], [], **theirs, label="paper")[0]]
    for name in [name for name in VERDICTS if name in set(lines["verdict"])]:
        color, marker = VERDICTS[name]
        handles.append(
            left.plot([], [], color=color, marker=marker, ls="", label=f"ours: {name}")[0]
        )
    for y, line in enumerate(lines.itertuples()):
        left.plot(line.paper_sequences, y, **theirs)
        if pd.notna(line.paper_success):
            right.plot(line.paper_success, y, **theirs)
        if line.trials:
            _ours(left, right, line, y)
        else:
            left.text(line.paper_sequences * ARROW, y, "not run", va="center", color="#777777")
    left.set_yticks(range(len(lines)), _names(lines))
    left.set_ylim(len(lines) - 0.4, -0.6)
    log_axis(left, "mean sequences to success")
    right.set_xlabel("solved")
    right.set_xlim(-0.06, 1.06)
    right.set_xticks([0, 0.5, 1], ["0", "", "100 %"])
    for axis in (left, right):
        axis.grid(alpha=0.25)
    columns = 3
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, frameon=False)
    return figure


def _names(lines: pd.DataFrame) -> list[str]:
    return [f"{line.row}  {line.variant or line.task}" for line in lines.itertuples()]


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
