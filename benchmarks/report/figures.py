"""Figures of suites of cells and tasks: pure functions of a suite's lines and rows.

Every cell keeps one colour, marker and line style in all figures of a suite, so that none of the
three is needed alone.
"""

import io
from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from benchmarks.analysis.statistics import success_curve
from benchmarks.analysis.tables import quantity
from benchmarks.learning.curves import Quartiles

# M. Okabe & K. Ito, Color Universal Design (2008); without yellow, which is faint on white.
PALETTE = ("#000000", "#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9")
MARKERS = "osD^vPX*"
STROKES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))

STYLE = {
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "long-time-lags",  # the same figure is the same file
}
"""For `matplotlib.rc_context`, around drawing and saving."""

WIDTH = 7.5  # inches; with letters of this size still legible on a phone
PANEL = 2.7
BAND = 0.12


class Look(NamedTuple):
    """How a cell is drawn."""

    color: str
    marker: str
    linestyle: str | tuple


def looks(cells: list[str]) -> dict[str, Look]:
    """A look for each cell; 280 cells differ."""
    return {
        cell: Look(PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)], STROKES[i % len(STROKES)])
        for i, cell in enumerate(cells)
    }


def rendered(figure: Figure, kinds: Iterable[str]) -> dict[str, bytes]:
    """The same figure in each kind of file: "svg", "pdf" or "png"; without a date."""
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # is laid out now, once for all
    files = {kind: io.BytesIO() for kind in kinds}
    for kind, file in files.items():
        figure.savefig(file, format=kind, dpi=150, metadata=undated[kind])
    return {kind: file.getvalue() for kind, file in files.items()}


def _panels(titles: list[str], looks: dict[str, Look]) -> tuple[Figure, list[Axes]]:
    """A figure with a panel for each title, two in a row, and the cells' legend above."""
    down = -(-len(titles) // 2)
    figure = Figure(figsize=(WIDTH, PANEL * down + 0.5))
    axes = figure.subplots(down, 2, squeeze=False).ravel()
    for axis in axes[len(titles) :]:
        axis.remove()
    for axis, title in zip(axes, titles, strict=False):
        axis.set_title(title, loc="left")
        axis.grid(alpha=0.25)
    handles = [
        axes[0].plot([], [], label=cell, **look._asdict())[0] for cell, look in looks.items()
    ]
    columns = min(len(handles), 7)
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=columns,
        frameon=False,
        handlelength=2.4,
        handletextpad=0.4,
        columnspacing=1,
    )
    return figure, list(axes[: len(titles)])


def _rate_axis(axis: Axes) -> None:
    axis.set_ylim(-0.04, 1.04)
    axis.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "50 %", "", "100 %"])


def log_axis(axis: Axes, label: str) -> None:
    """A logarithmic x axis with plain numbers at 1, 2 and 5, or 1 and 3, of each decade."""
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    subs = (1, 2, 5) if high < 60 * low else (1, 3) if high < 400 * low else (1,)
    axis.xaxis.set_major_locator(LogLocator(subs=subs, numticks=20))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _plain(x)))
    axis.set_xlabel(label)


def _plain(number: float) -> str:
    return quantity(number) if number >= 1000 else f"{number:g}"


def heat_map(lines: pd.DataFrame) -> Figure:
    """Success rates, tasks down and cells across; k/n in each cell, what lacks is hatched."""
    tasks, cells = (list(dict.fromkeys(lines[name])) for name in ("task", "cell"))
    figure = Figure(figsize=(max(4.5, 0.8 * len(cells) + 2.4), 0.46 * len(tasks) + 1.1))
    axis = figure.subplots()
    rates = lines["solved"] / lines["trials"].where(lines["trials"] > 0)
    grid = lines.assign(rate=rates).pivot(index="task", columns="cell", values="rate")
    values = grid.reindex(index=tasks, columns=cells).to_numpy(float)
    image = axis.imshow(values, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for line in lines.itertuples():
        x, y = cells.index(line.cell), tasks.index(line.task)
        _entry(axis, line, x, y)
    axis.set_xticks(range(len(cells)), cells)
    axis.set_yticks(range(len(tasks)), tasks)
    axis.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axis.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axis, fraction=0.04, label="success rate")
    bar.set_ticks([0, 0.5, 1], labels=["0", "50 %", "100 %"])
    return figure


def _entry(axis: Axes, line, x: int, y: int) -> None:
    text = f"{line.solved:.0f}/{line.trials}" if line.trials else "not run"
    if line.trials and line.missing:
        text += f"\nof {line.trials + line.missing}"
    if line.missing:
        corner = (x - 0.5, y - 0.5)
        axis.add_patch(Rectangle(corner, 1, 1, fill=False, hatch="///", lw=0, ec="#999999"))
    light = line.trials and line.solved / line.trials > 0.5
    label = {"color": "black" if light or not line.trials else "white"}
    if line.missing:
        label = {"color": "black", "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1}}
    axis.text(x, y, text, ha="center", va="center", fontsize=11, linespacing=0.9, **label)


def delays(lines: pd.DataFrame, looks: dict[str, Look]) -> Figure:
    """Success rate against delay with Wilson bands, a panel for each family, a line per cell."""
    families = list(dict.fromkeys(lines["family"]))
    figure, axes = _panels(families, looks)
    for family, axis in zip(families, axes, strict=True):
        here = lines[lines["family"] == family]
        for i, (cell, look) in enumerate(looks.items()):
            own = here[here["cell"] == cell].sort_values("delay")
            apart = own["delay"] * 1.03 ** (i - (len(looks) - 1) / 2)  # equal points stay visible
            axis.plot(apart, own["solved"] / own["trials"], markersize=5, **look._asdict())
            axis.fill_between(apart, own["low"], own["high"], color=look.color, alpha=BAND, lw=0)
        _rate_axis(axis)
        axis.set_xscale("log")
        axis.set_xticks(ticks := sorted(set(here["delay"])), map(str, ticks))
        axis.minorticks_off()
        axis.set_xlabel("delay (steps)")
        axis.set_ylabel("solved")
    return figure


def curves(lines: pd.DataFrame, rows: pd.DataFrame, looks: dict[str, Look]) -> Figure:
    """Kaplan-Meier curves of sequences to success, a panel for each task, a line per cell."""
    ran = lines[lines["trials"] > 0]
    tasks = list(dict.fromkeys(ran["task"]))
    figure, axes = _panels(tasks, looks)
    for task, axis in zip(tasks, axes, strict=True):
        here = ran[ran["task"] == task]
        trials = rows[rows["digest"].isin(here["digest"])]
        start = trials[["sequences", "budget"]].min().min() / 2
        for line in here.itertuples():
            _curve(axis, rows[rows["digest"] == line.digest], looks[line.cell], start)
        _rate_axis(axis)
        log_axis(axis, "training sequences")
        axis.set_ylabel("solved by then")
    return figure


def _curve(axis: Axes, rows: pd.DataFrame, look: Look, start: float) -> None:
    curve, budget = success_curve(rows), float(rows["budget"].max())
    x = [start, *curve.sequences, budget]
    steps = {
        name: [0, *getattr(curve, name), *getattr(curve, name)[-1:]]
        for name in ("solved", "low", "high")
    }
    if not len(curve.sequences):
        steps = {name: [0, 0] for name in steps}
    line = {"color": look.color, "linestyle": look.linestyle}
    axis.step(x, steps["solved"], where="post", **line)
    axis.plot(curve.sequences, curve.solved, look.marker, color=look.color, markersize=4)
    axis.fill_between(
        x[1:], steps["low"][1:], steps["high"][1:], step="post", color=look.color, alpha=BAND, lw=0
    )
    if (rows["outcome"] != "solved").any():
        axis.plot(budget, steps["solved"][-1], "|", color=look.color, markersize=10)


def learning(
    lines: pd.DataFrame, quartiles: dict[str, Quartiles], looks: dict[str, Look]
) -> Figure:
    """Median share of wrong sequences with quartiles, a panel for each task, a line per cell.

    `quartiles` has those of each line by its digest.
    """
    tasks = list(dict.fromkeys(lines["task"]))
    figure, axes = _panels(tasks, {cell: looks[cell] for cell in dict.fromkeys(lines["cell"])})
    for task, axis in zip(tasks, axes, strict=True):
        here = lines[lines["task"] == task]
        for line in here.itertuples():
            curve, look = quartiles[line.digest], looks[line.cell]
            axis.plot(curve.sequences, curve.median, markersize=3, **look._asdict())
            band = {"color": look.color, "alpha": BAND, "lw": 0}
            axis.fill_between(curve.sequences, curve.low, curve.high, **band)
        axis.axhline(1 - here["chance_right"].iloc[0], color="0.4", linestyle=":", linewidth=1)
        _rate_axis(axis)
        log_axis(axis, "training sequences")
        axis.set_ylabel("wrong")
    return figure


def cost(lines: pd.DataFrame, looks: dict[str, Look]) -> Figure:
    """Success rate against seconds per trial, a panel for each family.

    The delays of a cell are joined in their order, with larger markers for longer ones.
    """
    ran = lines[lines["trials"] > 0].sort_values("delay", kind="stable")
    families = [name for name in dict.fromkeys(lines["family"]) if name in set(ran["family"])]
    figure, axes = _panels(families, looks)
    for family, axis in zip(families, axes, strict=True):
        here = ran[ran["family"] == family]
        for cell, look in looks.items():
            _points(axis, here[here["cell"] == cell], look)
        _rate_axis(axis)
        log_axis(axis, "seconds per trial")
        axis.set_ylabel("solved")
    return figure


def _points(axis: Axes, own: pd.DataFrame, look: Look) -> None:
    seconds, rates = own["seconds"] / own["trials"], own["solved"] / own["trials"]
    ends = [rates - own["low"], own["high"] - rates]
    axis.errorbar(seconds, rates, ends, color=look.color, fmt="none", elinewidth=0.7)
    axis.plot(seconds, rates, color=look.color, linestyle=look.linestyle, linewidth=0.8)
    for i, point in enumerate(zip(seconds, rates, strict=True)):
        axis.plot(*point, look.marker, color=look.color, markersize=5 + 1.5 * i)
