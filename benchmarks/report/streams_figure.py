"""The figure of suite `streams`: panels of the lines of `analysis.streams.summary`."""

from functools import partial

import pandas as pd
from matplotlib.axes import Axes

from benchmarks.analysis.streams import CONTEXTS
from benchmarks.report.drawing import Draw, Look

ALL = 4 * max(CONTEXTS)  # where the axis has what a net makes of all of the past


def contexts(lines: pd.DataFrame, looks: dict[str, Look]) -> dict[str, Draw]:
    """What a net loses against the source, and how many symbols it is shown; by task."""
    return {
        task: partial(_contexts, lines=own, looks=looks)
        for task, own in lines.groupby("task", sort=False)
    }


def _contexts(axis: Axes, lines: pd.DataFrame, looks: dict[str, Look]) -> None:
    for line in lines.itertuples():
        bits = [*(getattr(line, f"context_{k}") for k in CONTEXTS), line.bits]
        above = [each - line.floor for each in bits]
        axis.plot([*CONTEXTS, ALL], above, markersize=5, **looks[line.cell]._asdict())
    axis.set_xscale("log")
    axis.set_xticks([*CONTEXTS, ALL], [*map(str, CONTEXTS), "all"])
    axis.minorticks_off()
    axis.set_ylim(bottom=0)
    axis.set_xlabel("symbols shown")
    axis.set_ylabel("bits above the source")
