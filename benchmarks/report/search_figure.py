"""Figures of a search: pure functions of the lines of `analysis.tried`."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.analysis.tables import quantity
from benchmarks.learning import space
from benchmarks.learning.space import LogUniform
from benchmarks.report.drawing import AROUND, LINE, NARROW, Draw, Look, log_axis

BESIDE = 5
"""Settings whose names fit side by side."""
STEPS = (100, 30, 10, 3, 1)
"""A colour each: for costs up to the budget by so much."""
UNSOLVED = Look("#999999", "x", "")
LABELS = {
    "rate": "learning rate",
    "memory": "initial memory (steps)",
    "scale": "recurrent scale",
    "threshold": "threshold of the guard",
    "strength": "strength of the penalty",
    "momentum": "1 - largest momentum",
}


def looks(budget: float) -> dict[str, Look]:
    """How a configuration is drawn, by the mean of sequences to success that it needs."""
    colors = colormaps["plasma"](np.linspace(0, 0.85, len(STEPS)))
    names = [f"up to {quantity(budget / step)} sequences" for step in STEPS]
    found = {
        name: Look(color, "o", "") for name, color in zip(names, map(_hex, colors), strict=True)
    }
    return found | {"not solved": UNSOLVED}


def _hex(color: np.ndarray) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in color[:3])


def strips(lines: pd.DataFrame) -> tuple[dict[str, Draw], dict[str, float]]:
    """A panel for each task and number that was searched, a line of points for each cell.

    Args:
        lines: `tried.configurations`, with a column `chosen`.

    Returns:
        The panels by their titles, and their heights.
    """
    draws, heights = {}, {}
    for name in LABELS:
        searched = lines[lines[name].notna()]
        for task, own in searched.groupby("task", sort=False):
            title = f"{task}: {name}"
            draws[title] = partial(_strip, lines=own, name=name)
            heights[title] = AROUND + LINE * own["cell"].nunique()
    order = list(dict.fromkeys(lines["task"]))
    titles = sorted(draws, key=lambda title: order.index(title.partition(":")[0]))
    return {title: draws[title] for title in titles}, heights


def _strip(axis: Axes, lines: pd.DataFrame, name: str) -> None:
    firsts = lines.drop_duplicates("cell")
    cells = list(firsts["cell"])
    ends = [space.bounds(each.delay, each.learner)[name] for each in firsts.itertuples()]
    palette = list(looks(lines["budget"].max()).values())
    alike = lines.assign(y=lines["cell"].map(cells.index), step=_steps(lines))
    for (chosen, step, ranged), own in alike.groupby(["chosen", "step", "range"]):
        look = palette[step]
        marker = ">" if name == "memory" and ranged and look is not UNSOLVED else look.marker
        ring: dict[str, Any] = (
            {"markeredgecolor": "black", "markeredgewidth": 1.4} if chosen else {}
        )
        size = 8 if chosen else 4.5
        axis.plot(own[name], own["y"], marker, color=look.color, markersize=size, **ring)
    _frame(axis, cells, ends, LABELS[name])


def _steps(lines: pd.DataFrame) -> np.ndarray:
    """Number of the look of each line."""
    ends = lines["budget"].to_numpy()[:, None] / np.array(STEPS)
    steps = (lines["sequences"].to_numpy()[:, None] > ends).sum(1)
    return np.where(lines["solved"] > 0, steps, len(STEPS))


def _frame(axis: Axes, cells: list[str], ends: list[LogUniform], label: str) -> None:
    """Axes of a strip; the outer tenths of each cell's space are shaded, as is what lies beyond."""
    low, high = min(each.low for each in ends), max(each.high for each in ends)
    margin = (high / low) ** 0.05
    for line, own in enumerate(ends):
        tenth = (own.high / own.low) ** 0.1
        for edge in ((low, own.low * tenth), (own.high / tenth, high)):
            axis.fill_betweenx((line - 0.5, line + 0.5), *edge, color="0.9", lw=0, zorder=0)
    axis.set_xlim(low / margin, high * margin)
    log_axis(axis, label)
    axis.set_yticks(range(len(cells)), cells, fontsize=8)
    axis.set_ylim(len(cells) - 0.4, -0.6)


def importances(means: pd.DataFrame) -> Figure:
    """A heat map of shares from 0 to 1, cells down and settings across, as wide as a phone."""
    crowded = len(means.columns) > BESIDE
    figure = Figure(figsize=(NARROW, 0.26 * len(means) + (1.0 if crowded else 0.6)))
    axis = figure.subplots()
    values = means.to_numpy(float)
    axis.imshow(values, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for (y, x), value in np.ndenumerate(values):
        if not np.isnan(value):
            color = "black" if value > 0.5 else "white"
            size = 7 if crowded else 8
            axis.text(x, y, f"{value:.0%}", ha="center", va="center", fontsize=size, color=color)
    names, upright = range(len(means.columns)), 90 if crowded else 0
    axis.set_xticks(names, means.columns, fontsize=9, rotation=upright)
    axis.set_yticks(range(len(means)), means.index, fontsize=8)
    axis.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axis.spines[:].set_visible(False)
    return figure
