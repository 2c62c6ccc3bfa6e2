"""The figure of suite `streams`: panels of the lines of `analysis.streams.summary`."""

from functools import partial

import pandas as pd
from matplotlib.axes import Axes

from benchmarks.analysis.streams import CONTEXTS
from benchmarks.report.drawing import Draw, Look

ALL = 4 * max(CONTEXTS)  # where the axis has what a net makes of all of the past


def contexts(lines: pd.DataFrame, looks: dict[str, Look]) -> dict[str, Draw]:
    """Bits for a symbol against how many of the latest are shown; a panel for each task."""
    return {
        task: partial(_contexts, lines=own, looks=looks)
        for task, own in lines.groupby("task", sort=False)
    }


def _contexts(axis: Axes, lines: pd.DataFrame, looks: dict[str, Look]) -> None:
    for line in lines.itertuples():
        bits = [*(getattr(line, f"context_{k}") for k in CONTEXTS), line.bits]
        axis.plot([*CONTEXTS, ALL], bits, markersize=5, **looks[line.cell]._asdict())
    axis.axhline(lines["floor"].mean(), color="#666666", linestyle=":", lw=1)
    axis.set_xscale("log")
    axis.set_xticks([*CONTEXTS, ALL], [*map(str, CONTEXTS), "all"])
    axis.minorticks_off()
    axis.set_ylim(bottom=0)
    axis.set_xlabel("symbols shown")
    axis.set_ylabel("bits")
