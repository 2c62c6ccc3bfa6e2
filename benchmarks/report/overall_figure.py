"""Figures over all tasks of a suite, and over lengths: pure functions of lines."""

from functools import partial

import pandas as pd
from matplotlib.axes import Axes

from benchmarks.report.drawing import (
    AROUND,
    BAND,
    FEW,
    LINE,
    MARKERS,
    PALETTE,
    Draw,
    Look,
    apart,
    beside,
    log_axis,
    rate_axis,
)


def overall(profiles: pd.DataFrame, ranks: pd.DataFrame, looks: dict[str, Look]) -> dict[str, Draw]:
    """The performance profile (`profile.profile`), and the mean ranks (`ranking.ranking`)."""
    return {
        "share of trials solved by then": partial(_profile, profiles=profiles, looks=looks),
        "mean rank": partial(_ranks, ranks=ranks, looks=looks),
    }


def _profile(axis: Axes, profiles: pd.DataFrame, looks: dict[str, Look]) -> None:
    banded = profiles["cell"].nunique() <= FEW
    for cell, own in profiles.groupby("cell", sort=False):
        look, x = looks[cell], own["sequences"]
        axis.step(x, own["solved"], where="post", color=look.color, linestyle=look.linestyle)
        marks = slice(len(own) // 8, None, max(len(own) // 4, 1))
        axis.plot(x[marks], own["solved"][marks], look.marker, color=look.color, markersize=4)
        if banded:
            axis.fill_between(
                x, own["low"], own["high"], step="post", color=look.color, alpha=BAND, lw=0
            )
    rate_axis(axis)
    log_axis(axis, "training sequences")
    axis.set_ylabel("solved, mean over tasks")


def _ranks(axis: Axes, ranks: pd.DataFrame, looks: dict[str, Look]) -> None:
    for y, line in enumerate(ranks.itertuples()):
        look = looks[line.cell]
        axis.plot([line.low, line.high], [y, y], color=look.color, linewidth=2, alpha=0.6)
        axis.plot(line.rank, y, look.marker, color=look.color, markersize=5)
    axis.set_yticks(range(len(ranks)), ranks["cell"], fontsize=8)
    axis.set_ylim(len(ranks) - 0.4, -0.6)
    axis.set_xlabel("mean rank (1: the best)")


def lengths(
    reached: pd.DataFrame, chances: dict[str, float], looks: dict[str, Look]
) -> dict[str, Draw]:
    """Right sequences against length (`lengths.reach`), a panel for each task, a line per cell.

    `chances` has the share of right sequences of the best constant output, by task.
    """
    return {
        task: partial(_lengths, lines=own, chance=chances[task], looks=looks)
        for task, own in reached.groupby("task", sort=False)
    }


def _lengths(axis: Axes, lines: pd.DataFrame, chance: float, looks: dict[str, Look]) -> None:
    shifts = apart(looks)
    for cell, look in looks.items():
        own = lines[lines["cell"] == cell]
        x = beside(own["times"], shifts[cell])
        axis.plot(x, own["right"] + shifts[cell], markersize=5, **look._asdict())
    axis.axhline(chance, color="0.4", linestyle=":", linewidth=1)
    rate_axis(axis)
    axis.set_xscale("log")
    axis.set_xticks(ticks := sorted(set(lines["times"])), [f"{each}x" for each in ticks])
    axis.minorticks_off()
    axis.set_xlabel("delay, as a multiple of that learnt")
    axis.set_ylabel("right")


def times(reached: pd.DataFrame) -> dict[str, Look]:
    """A look for each multiple of the delay."""
    found = sorted(set(reached["times"]))
    return {
        f"{each}x the delay": Look(color, marker, "")
        for each, color, marker in zip(found, PALETTE, MARKERS, strict=False)
    }


def length_rows(
    reached: pd.DataFrame, chances: dict[str, float]
) -> tuple[dict[str, Draw], dict[str, float]]:
    """As `lengths`, of many cells: cells down, lengths as points; the panels and their heights."""
    groups = dict(iter(reached.groupby("task", sort=False)))
    draws: dict[str, Draw] = {
        task: partial(_length_rows, lines=own, chance=chances[task], looks=times(reached))
        for task, own in groups.items()
    }
    return draws, {task: AROUND + LINE * own["cell"].nunique() for task, own in groups.items()}


def _length_rows(axis: Axes, lines: pd.DataFrame, chance: float, looks: dict[str, Look]) -> None:
    cells = list(dict.fromkeys(lines["cell"]))
    for y, cell in enumerate(cells):
        own = lines[lines["cell"] == cell]
        axis.plot(own["right"], [y] * len(own), color="0.7", linewidth=1)
        for line in own.itertuples():
            look = looks[f"{line.times}x the delay"]
            axis.plot(line.right, y, look.marker, color=look.color, markersize=5)
    axis.axvline(chance, color="0.4", linestyle=":", linewidth=1)
    axis.set_xlim(-0.05, 1.05)
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "50 %", "", "100 %"])
    axis.set_xlabel("right")
    axis.set_yticks(range(len(cells)), cells, fontsize=8)
    axis.set_ylim(len(cells) - 0.4, -0.6)
