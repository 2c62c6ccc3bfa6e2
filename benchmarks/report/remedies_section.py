"""What the page of suite `remedies` has beside others: the gradient of each, and what it did."""

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
from matplotlib.axes import Axes

from benchmarks.analysis import remedies
from benchmarks.analysis.remedies import Remedy
from benchmarks.report import drawing
from benchmarks.report.contents import Contents, Picture, Sheet, panelled
from benchmarks.report.drawing import Draw, Look

SMALLEST = 1e-16
"""Where the axis ends: what is smaller is lost when it is added to a number near one."""
TIMES = {"before": ":", "after": "-"}
"""The stroke of a line."""


def with_remedies(
    contents: Contents,
    known: Sequence[Remedy],
    lines: pd.DataFrame,
    flow: pd.DataFrame,
) -> Contents:
    """The page with the gradients of all lines, and a sentence on each of them, before the rest.

    Args:
        contents: of the suite as one of cells.
        known: the lines of its table.
        lines: of `tables.summary`.
        flow: rows of `running.trained_flow` of the same experiments, as far as there are any.
    """
    told = remedies.effects(known, lines, flow)
    cells = list(dict.fromkeys(lines.loc[lines["trials"] > 0, "cell"]))
    notices = [] if len(flow) else ["Gradients are not drawn: no networks have been measured."]
    return contents._replace(
        notices=[*contents.notices, *notices],
        pictures=[*contents.pictures, *_gradients(flow, cells)],
        sheets=[Sheet("remedies", "What each remedy did", told), *contents.sheets],
        definitions={
            **contents.definitions,
            "Remedies": f"{remedies.RULES} {remedies.GRADIENT_RULES}",
        },
    )


def _gradients(flow: pd.DataFrame, cells: Sequence[str]) -> list[Picture]:
    """The picture of the gradients, a panel for each line of the table; none without rows."""
    if flow.empty:
        return []
    shown = flow[flow["delay"] <= remedies.COMPARED_AT]
    shown = shown[shown["delay"] == shown.groupby("task")["delay"].transform("max")]
    shown = shown.assign(where=[f"{row.task}-{row.delay}" for row in shown.itertuples()])
    looks = {
        f"{where}, {time} training": Look(color, "o", TIMES[time])
        for where, color in zip(dict.fromkeys(shown["where"]), drawing.PALETTE[1:], strict=False)
        for time in TIMES
    }
    there = [cell for cell in cells if cell in set(shown["cell"])]
    return [
        panelled(
            "gradients",
            "How an error flows back, before and after training",
            _panels(shown, there, looks),
            looks,
            alt="Share of an error that is left against the distance to it, before and after "
            f"training: a panel for each of {', '.join(there)}, a line for each of "
            f"{', '.join(dict.fromkeys(shown['where']))}.",
            sentence="What is left of an error on its way back through initial and trained nets.",
            statistic="Norm of the error's derivative by the state over that at the last step: "
            f"medians over networks, cut at {SMALLEST:g}.",
        )
    ]


def _panels(
    shown: pd.DataFrame, cells: Sequence[str], looks: Mapping[str, Look]
) -> dict[str, Draw]:
    positive = shown["median"][shown["median"] > 0]
    limits = max(SMALLEST, positive.min() / 3), 3 * max(1, positive.max())
    return {
        cell: partial(_draw, own=shown[shown["cell"] == cell], looks=looks, limits=limits)
        for cell in cells
    }


def _draw(
    axis: Axes, own: pd.DataFrame, looks: Mapping[str, Look], limits: tuple[float, float]
) -> None:
    for (where, time), line in own.groupby(["where", "time"], sort=False):
        line = line.sort_values("distance")
        positive = line["median"].clip(lower=SMALLEST / 10)
        look = looks[f"{where}, {time} training"]
        axis.plot(line["distance"], positive, markersize=3, **look._asdict())
    axis.set_yscale("log")
    axis.set_ylim(limits)
    drawing.log_axis(axis, "steps back from the error")
    axis.set_ylabel("left of the error")
