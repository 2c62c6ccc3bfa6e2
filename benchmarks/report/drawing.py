"""How figures are drawn: looks of cells, panels together and alone, files.

Every cell keeps one colour, marker and line style in all figures of a suite, so that none of the
three is needed alone.
"""

import io
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from benchmarks.analysis.tables import quantity

# M. Okabe & K. Ito, Color Universal Design (2008); without yellow, which is faint on white.
PALETTE = ("#000000", "#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9")
MARKERS = "osD^vPX*"
STROKES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))

STYLE: dict[Any, Any] = {
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "long-time-lags",  # the same figure is the same file
}
"""For `matplotlib.rc_context`, around drawing and saving."""

WIDTH = 7.5  # inches; of a figure of several panels
NARROW = 3.7  # inches; the width of a phone, at which a panel alone is as large as it is drawn
PANEL = 2.7
LINE = 0.19  # inches of a panel that has cells down, for each
AROUND = 0.75  # inches above and below them
LETTERS = 80  # that a line of a legend has room for; a bit of line takes seven
BAND = 0.12
FEW = 6  # cells whose bands and lines can still be told apart
SPREAD = 0.08
"""Of an axis from 0 to 1: how far all lines together are moved apart."""

Draw = Callable[[Axes], None]
"""Draws a panel."""


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


def apart(cells: Iterable[str]) -> dict[str, float]:
    """How far up or down each cell's line is moved, so that equal ones stay visible."""
    cells = list(cells)
    step = min(0.016, SPREAD / max(len(cells) - 1, 1))
    return {cell: (i - (len(cells) - 1) / 2) * step for i, cell in enumerate(cells)}


def beside(delays: pd.Series, shift: float) -> pd.Series:
    """Delays for a logarithmic axis, moved aside as `apart` says, less where they lie close."""
    decades = math.log10(delays.max() / delays.min())
    return delays * 10 ** (min(2.0, 1.5 * decades) * shift)


def together(
    panels: Mapping[str, Draw],
    looks: Mapping[str, Look],
    heading: str = "",
    heights: Mapping[str, float] = {},
) -> Figure:
    """A figure of all panels by their titles, two in a row, with heading and legend above.

    `heights` has those of panels, in inches, that are not as high as others.
    """
    columns = min(len(looks), LETTERS // (7 + max(map(len, looks))))
    above = 0.25 * (1 + math.ceil(len(looks) / columns) + bool(heading))
    each = [heights.get(title, PANEL) for title in panels]
    down = [max(each[i : i + 2]) for i in range(0, len(each), 2)]
    figure = Figure(figsize=(WIDTH, sum(down) + above))
    axes = figure.subplots(len(down), 2, squeeze=False, height_ratios=down).ravel()
    for axis in axes[len(panels) :]:
        axis.remove()
    for axis, (title, draw) in zip(axes, panels.items(), strict=False):
        axis.set_title(title, loc="left")
        _draw(axis, draw)
    handles = [
        axes[0].plot([], [], label=cell, **look._asdict())[0] for cell, look in looks.items()
    ]
    figure.legend(
        handles=handles,
        title=heading,
        loc="outside upper center",
        ncols=columns,
        frameon=False,
        handlelength=2.4,
        handletextpad=0.4,
        columnspacing=1,
    )
    return figure


def alone(draw: Draw, height: float = PANEL) -> Figure:
    """A panel as a figure of its own, so many inches high, without title and legend."""
    with rc_context({"font.size": 10}):
        figure = Figure(figsize=(NARROW, height))
        _draw(figure.subplots(), draw)
    return figure


def _draw(axis: Axes, draw: Draw) -> None:
    axis.grid(alpha=0.25)
    draw(axis)


def sample(look: Look) -> Figure:
    """A bit of a cell's line, for a legend in text."""
    figure = Figure(figsize=(0.5, 0.2))
    figure.set_layout_engine("none")
    axis = figure.add_axes((0, 0, 1, 1))
    axis.axis("off")
    axis.plot([0, 1, 2], [0, 0, 0], markevery=[1], markersize=6, **look._asdict())
    return figure


def rendered(figure: Figure, kinds: Iterable[str]) -> dict[str, bytes]:
    """The same figure in each kind of file: "svg", "pdf" or "png"; without a date."""
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # is laid out now, once for all
    files = {kind: io.BytesIO() for kind in kinds}
    for kind, file in files.items():
        figure.savefig(file, format=kind, dpi=150, metadata=undated[kind])
    return {kind: file.getvalue() for kind, file in files.items()}


def rate_axis(axis: Axes) -> None:
    """A y axis of rates."""
    axis.set_ylim(-0.07, 1.07)
    axis.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "50 %", "", "100 %"])


def log_axis(axis: Axes, label: str) -> None:
    """A logarithmic x axis with plain numbers at 1, 2 and 5, or 1 and 3, of each decade.

    Where it is too short for two of these, at a few even steps.
    """
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    subs = (1, 2, 5) if high < 60 * low else (1, 3) if high < 400 * low else (1,)
    even = high < 5 * low
    axis.xaxis.set_major_locator(MaxNLocator(4) if even else LogLocator(subs=subs, numticks=20))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _plain(x)))
    axis.set_xlabel(label)


def _plain(number: float) -> str:
    return quantity(number) if number >= 1000 else f"{number:g}"
