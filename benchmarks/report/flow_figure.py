"""The figure of suite `gradient-flow`: panels of the lines of `flow_study.summary`."""

from functools import partial

import pandas as pd
from matplotlib.axes import Axes

from benchmarks.report.drawing import BAND, Draw, Look, apart, beside

SMALLEST = 1e-16
"""Where the axis ends: what is smaller is lost when it is added to a number near one, even in
double precision."""


def survival(lines: pd.DataFrame, looks: dict[str, Look]) -> dict[str, Draw]:
    """What is left of an error, and what each step leaves, against T; a line for each cell."""
    ran = lines[lines["trials"] > 0]
    return {
        "left of an error": partial(_left, lines=ran, looks=looks),
        "factor per step": partial(_step, lines=ran, looks=looks),
    }


def _left(axis: Axes, lines: pd.DataFrame, looks: dict[str, Look]) -> None:
    for cell, look in looks.items():
        own = lines[lines["cell"] == cell]
        x = beside(own["delay"], apart(looks)[cell])
        axis.plot(x, own["median"], markersize=5, **look._asdict())
        axis.fill_between(x, own["low"], own["high"], color=look.color, alpha=BAND, lw=0)
    axis.set_yscale("log")
    axis.set_ylim(SMALLEST, 10 * max(1, lines["high"].max()))
    _steps(axis, lines)


def _step(axis: Axes, lines: pd.DataFrame, looks: dict[str, Look]) -> None:
    for cell, look in looks.items():
        own = lines[lines["cell"] == cell]
        x = beside(own["delay"], apart(looks)[cell])
        axis.plot(x, own["step"], markersize=5, **look._asdict())
    _steps(axis, lines)


def _steps(axis: Axes, lines: pd.DataFrame) -> None:
    axis.set_xscale("log")
    axis.set_xticks(ticks := sorted(set(lines["delay"])), map(str, ticks))
    axis.minorticks_off()
    axis.set_xlabel("T (steps)")
