"""The figure of suite `gradient-flow`: a pure function of the lines of `flow_study.summary`."""

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.report.figures import BAND, PANEL, WIDTH, looks

SMALLEST = 1e-16
"""Where the axis ends: what is smaller is lost when it is added to a number near one, even in
double precision."""


def survival(lines: pd.DataFrame) -> Figure:
    """What is left of an error, and what each step leaves, against T; a line for each cell."""
    ran = lines[lines["trials"] > 0]
    figure = Figure(figsize=(WIDTH, 2 * PANEL + 1.2))
    above, below = figure.subplots(2, 1, sharex=True)
    for cell, look in looks(list(dict.fromkeys(ran["cell"]))).items():
        own = ran[ran["cell"] == cell]
        above.plot(own["delay"], own["median"], markersize=5, label=cell, **look._asdict())
        above.fill_between(
            own["delay"], own["low"], own["high"], color=look.color, alpha=BAND, lw=0
        )
        below.plot(own["delay"], own["step"], markersize=5, **look._asdict())
    above.set_yscale("log")
    above.set_ylim(SMALLEST, 10 * max(1, ran["high"].max()))
    above.set_ylabel("left of an error")
    below.set_ylabel("factor per step")
    below.set_xscale("log")
    below.set_xticks(ticks := sorted(set(ran["delay"])), map(str, ticks))
    below.minorticks_off()
    below.set_xlabel("T (steps)")
    for axis in (above, below):
        axis.grid(alpha=0.25)
    figure.legend(loc="outside upper center", ncols=4, frameon=False, handlelength=2.4)
    return figure
