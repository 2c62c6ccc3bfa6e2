"""Figures of suites of cells and tasks: pure functions of a suite's lines and rows.

All but the heat map are panels by their titles, each a function that draws on an axis, so that a
page may show each alone.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benchmarks.analysis.statistics import success_curve
from benchmarks.learning.curves import Quartiles
from benchmarks.report.drawing import (
    BAND,
    FEW,
    NARROW,
    Draw,
    Look,
    apart,
    beside,
    log_axis,
    rate_axis,
)

MOST_ACROSS = 6
"""Cells across in a heat map as wide as a phone."""


def heat_map(lines: pd.DataFrame) -> Figure:
    """Success rates, tasks down and cells across; k/n in each cell, what lacks is hatched."""
    across, down = lines["cell"].nunique(), lines["task"].nunique()
    height = 0.46 * down + 1.1 + _slant(lines["cell"])
    figure = Figure(figsize=(max(4.5, 0.8 * across + 2.4), height))
    axis = figure.subplots()
    _heat(axis, lines)
    bar = figure.colorbar(axis.images[0], ax=axis, fraction=0.04, label="success rate")
    bar.set_ticks([0, 0.5, 1], labels=["0", "50 %", "100 %"])
    return figure


def narrow_heat_maps(lines: pd.DataFrame) -> dict[str, Figure]:
    """The heat map in parts of a few cells each, by their names; each as wide as a phone."""
    cells = list(dict.fromkeys(lines["cell"]))
    parts = -(-len(cells) // MOST_ACROSS)
    made = {}
    for i in range(parts):
        own = cells[i * len(cells) // parts : (i + 1) * len(cells) // parts]
        height = 0.42 * lines["task"].nunique() + 0.5 + 1.7 * _slant(own)
        figure = Figure(figsize=(NARROW, height))
        axis = figure.subplots()
        _heat(axis, lines[lines["cell"].isin(own)], 9, UPRIGHT)
        axis.tick_params(labelsize=9)
        made[", ".join(own)] = figure
    return made


LONG_NAME = 8  # letters; beside each other, longer ones would run into each other
SLANTED: dict[str, Any] = {"rotation": 30, "ha": "left", "rotation_mode": "anchor"}
UPRIGHT: dict[str, Any] = {"rotation": 90}  # where there is no room to the right


def _slant(names: Iterable[str]) -> float:
    """Inches that names above a heat map need beyond those that lie flat."""
    longest = max(map(len, names))
    return 0.05 * longest if longest > LONG_NAME else 0.0


def _heat(
    axis: Axes, lines: pd.DataFrame, fontsize: int = 11, long_names: dict[str, Any] = SLANTED
) -> None:
    tasks, cells = (list(dict.fromkeys(lines[name])) for name in ("task", "cell"))
    rates = lines["solved"] / lines["trials"].where(lines["trials"] > 0)
    grid = lines.assign(rate=rates).pivot(index="task", columns="cell", values="rate")
    values = grid.reindex(index=tasks, columns=cells).to_numpy(float)
    axis.imshow(values, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for line in lines.itertuples():
        _entry(axis, line, cells.index(line.cell), tasks.index(line.task), fontsize)
    axis.set_xticks(range(len(cells)), cells, **(long_names if _slant(cells) else {}))
    axis.set_yticks(range(len(tasks)), tasks)
    axis.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axis.spines[:].set_visible(False)


def _entry(axis: Axes, line, x: int, y: int, fontsize: int) -> None:
    text = f"{line.solved:.0f}/{line.trials}" if line.trials else "not\nrun"
    if line.trials and line.missing:
        text += f"\nof {line.trials + line.missing}"
    if line.missing:
        corner = (x - 0.5, y - 0.5)
        axis.add_patch(Rectangle(corner, 1, 1, fill=False, hatch="///", lw=0, ec="#999999"))
    light = line.trials and line.solved / line.trials > 0.5
    label: dict[str, Any] = {"color": "black" if light or not line.trials else "white"}
    if line.missing:
        label = {"color": "black", "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1}}
    axis.text(x, y, text, ha="center", va="center", fontsize=fontsize, linespacing=0.9, **label)


def delays(lines: pd.DataFrame, looks: dict[str, Look]) -> dict[str, Draw]:
    """Success rate against delay, a panel for each family, a line per cell.

    With Wilson intervals: bands, and of many cells bars.
    """
    return {
        family: partial(_delays, lines=own, looks=looks)
        for family, own in lines.groupby("family", sort=False)
    }


def _delays(axis: Axes, lines: pd.DataFrame, looks: dict[str, Look]) -> None:
    shifts, few = apart(looks), lines["cell"].nunique() <= FEW
    for cell, look in looks.items():
        own = lines[lines["cell"] == cell].sort_values("delay")
        x = beside(own["delay"], shifts[cell])
        rates = own["solved"] / own["trials"] + shifts[cell]
        axis.plot(x, rates, markersize=5, **look._asdict())
        if few:
            axis.fill_between(x, own["low"], own["high"], color=look.color, alpha=BAND, lw=0)
        else:
            axis.vlines(x, own["low"], own["high"], color=look.color, linewidth=0.7)
    rate_axis(axis)
    axis.set_xscale("log")
    axis.set_xticks(ticks := sorted(set(lines["delay"])), map(str, ticks))
    axis.minorticks_off()
    axis.set_xlabel("delay (steps)")
    axis.set_ylabel("solved")


def curves(lines: pd.DataFrame, rows: pd.DataFrame, looks: dict[str, Look]) -> dict[str, Draw]:
    """Kaplan-Meier curves of sequences to success, a panel for each task, a line per cell."""
    ran = lines[lines["trials"] > 0]
    return {
        task: partial(
            _curves, lines=own, rows=rows[rows["digest"].isin(own["digest"])], looks=looks
        )
        for task, own in ran.groupby("task", sort=False)
    }


def _curves(axis: Axes, lines: pd.DataFrame, rows: pd.DataFrame, looks: dict[str, Look]) -> None:
    start, shifts = rows[["sequences", "budget"]].min().min() / 2, apart(looks)
    for line in lines.itertuples():
        trials = rows[rows["digest"] == line.digest]
        _curve(axis, trials, looks[line.cell], start, shifts[line.cell])
    rate_axis(axis)
    log_axis(axis, "training sequences")
    axis.set_ylabel("solved by then")


def _curve(axis: Axes, rows: pd.DataFrame, look: Look, start: float, shift: float) -> None:
    curve, budget = success_curve(rows), float(rows["budget"].max())
    x = [start, *curve.sequences, budget]
    steps = {
        name: [0, *getattr(curve, name), *getattr(curve, name)[-1:]]
        for name in ("solved", "low", "high")
    }
    if not len(curve.sequences):
        steps = {name: [0, 0] for name in steps}
    solved = [rate + shift for rate in steps["solved"]]
    axis.step(x, solved, where="post", color=look.color, linestyle=look.linestyle)
    axis.plot(curve.sequences, curve.solved + shift, look.marker, color=look.color, markersize=4)
    axis.fill_between(
        x[1:], steps["low"][1:], steps["high"][1:], step="post", color=look.color, alpha=BAND, lw=0
    )
    if (rows["outcome"] != "solved").any():
        axis.plot(budget, solved[-1], "|", color=look.color, markersize=10)


def learning(
    lines: pd.DataFrame, quartiles: dict[str, Quartiles], looks: dict[str, Look]
) -> dict[str, Draw]:
    """Median share of wrong sequences with quartiles, a panel for each task, a line per cell.

    `quartiles` has those of each line by its digest.
    """
    return {
        task: partial(_learning, lines=own, quartiles=quartiles, looks=looks)
        for task, own in lines.groupby("task", sort=False)
    }


def _learning(
    axis: Axes, lines: pd.DataFrame, quartiles: dict[str, Quartiles], looks: dict[str, Look]
) -> None:
    shifts = apart(looks)
    for i, line in enumerate(lines.itertuples()):
        curve, look = quartiles[line.digest], looks[line.cell]
        own = range(i % 3, len(curve.sequences), 3)  # other lines have theirs at other points
        places = {0, len(curve.sequences) - 1, *own}
        marks: dict[str, Any] = {"markevery": sorted(places), "markersize": 4}
        axis.plot(curve.sequences, curve.median + shifts[line.cell], **marks, **look._asdict())
        band: dict[str, Any] = {"color": look.color, "alpha": BAND, "lw": 0}
        axis.fill_between(curve.sequences, curve.low, curve.high, **band)
    axis.axhline(1 - lines["chance_right"].iloc[0], color="0.4", linestyle=":", linewidth=1)
    rate_axis(axis)
    log_axis(axis, "training sequences")
    axis.set_ylabel("wrong")


def cost(lines: pd.DataFrame, looks: dict[str, Look]) -> dict[str, Draw]:
    """Success rate against seconds per trial, a panel for each family.

    The delays of a cell are joined in their order, with larger markers for longer ones.
    """
    ran = lines[lines["trials"] > 0]
    return {
        family: partial(_cost, lines=own.sort_values("delay", kind="stable"), looks=looks)
        for family, own in ran.groupby("family", sort=False)
    }


def _cost(axis: Axes, lines: pd.DataFrame, looks: dict[str, Look]) -> None:
    for cell, look in looks.items():
        _points(axis, lines[lines["cell"] == cell], look)
    rate_axis(axis)
    log_axis(axis, "seconds per trial")
    axis.set_ylabel("solved")


def _points(axis: Axes, own: pd.DataFrame, look: Look) -> None:
    seconds, rates = own["seconds"] / own["trials"], own["solved"] / own["trials"]
    ends = [rates - own["low"], own["high"] - rates]
    axis.errorbar(seconds, rates, ends, color=look.color, fmt="none", elinewidth=0.7)
    axis.plot(seconds, rates, color=look.color, linestyle=look.linestyle, linewidth=0.8)
    for i, point in enumerate(zip(seconds, rates, strict=True)):
        axis.plot(*point, look.marker, color=look.color, markersize=5 + 1.5 * i)
