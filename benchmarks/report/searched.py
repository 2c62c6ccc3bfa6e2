"""What a searched suite has on its page beside others: its search, and all tasks at once."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from benchmarks.analysis import lengths, profile, ranking, settings, tried
from benchmarks.learning.experiment import Experiment
from benchmarks.report import overall_figure, search_figure
from benchmarks.report.contents import Picture, Sheet, panelled
from benchmarks.report.drawing import AROUND, FEW, LINE, PANEL, Look
from benchmarks.running.search import untested

OVERALL_TEXT = "Bars and bands: 95 % intervals over tasks and trials."
LENGTH_TEXT = (
    "Mean share of right sequences over the solved networks of a cell, when the delay is so many "
    "times as long as in training. Dotted: the best constant output."
)


def overall(rows: pd.DataFrame, looks: dict[str, Look]) -> list[Picture]:
    """The picture of all tasks at once; none where no cell has trials on all of them."""
    ranks = ranking.ranking(rows)
    if ranks.empty:
        return []
    best, count = ranks.iloc[0], int(ranks["tasks"].iloc[0])
    return [
        panelled(
            "overall",
            "All tasks at once",
            overall_figure.overall(profile.profile(rows), ranks, looks),
            {cell: look for cell, look in looks.items() if cell in set(ranks["cell"])},
            heights={"mean rank": max(PANEL, AROUND + LINE * len(ranks))},
            alt="Performance profile: share of trials solved, over all tasks, against training "
            f"sequences; and mean ranks with intervals, of the cells {', '.join(ranks['cell'])}.",
            sentence=f"Over {count} task{'s' * (count > 1)}, {best['cell']} has the best mean rank "
            f"({best['rank']:.1f}, 95 % {best['low']:.1f} to {best['high']:.1f}) of {len(ranks)} "
            "cells.",
            statistic=OVERALL_TEXT,
        )
    ]


def longer(lines: pd.DataFrame, rows: pd.DataFrame, looks: dict[str, Look]) -> list[Picture]:
    """The picture of generalisation in length; none where no solved network was tested for it."""
    reached = lengths.reach(rows)
    if reached.empty:
        return []
    chances = dict(zip(lines["task"], lines["chance_right"], strict=True))
    tasks = list(chances)
    keys = {"task": tasks.index, "cell": list(looks).index}
    reached = reached.sort_values(
        list(keys), key=lambda column: column.map(keys[column.name]), kind="stable"
    )
    cells = {cell: look for cell, look in looks.items() if cell in set(reached["cell"])}
    heights: dict[str, float] = {}
    if few := len(cells) <= FEW:
        draws = overall_figure.lengths(reached, chances, cells)
    else:
        draws, heights = overall_figure.length_rows(reached, chances)
    return [
        panelled(
            "lengths",
            "Longer sequences than those learnt from",
            draws,
            cells if few else overall_figure.times(reached),
            heights=heights,
            alt="Share of right sequences of solved networks against the delay, as a multiple of "
            f"that in training, of the cells {', '.join(cells)}.",
            sentence=_reaching(reached),
            statistic=LENGTH_TEXT,
        )
    ]


def _reaching(reached: pd.DataFrame) -> str:
    """Which cell reaches furthest, of those that solve all of these tasks."""
    longest = reached["times"].max()
    right = reached[reached["times"] == longest].pivot(index="cell", columns="task", values="right")
    means = right.dropna().mean(axis=1)
    if means.empty:
        return "No cell solves all of these tasks."
    return (
        f"Of the cells that solve all of these tasks, {means.idxmax()} is right most often at "
        f"{longest} times the delay: {means.max():.0%} in the mean over them."
    )


class Search(NamedTuple):
    """What a page says of a search."""

    pictures: list[Picture]
    sheet: Sheet
    note: str


def search(experiments: Sequence[Experiment], rows: pd.DataFrame) -> Search:
    """What was tried for these experiments, from the rows of the search."""
    chosen = {untested(each).digest for each in experiments}
    lines = tried.configurations(rows)
    lines = lines.assign(chosen=lines["digest"].isin(chosen))
    if not tried.can_tell_importance():
        return Search([_tried(lines)], _sheet(lines, None), tried.NO_IMPORTANCE)
    shares = tried.importances(lines)
    matter = [] if shares.empty else [_importances(shares)]
    return Search([_tried(lines), *matter], _sheet(lines, shares), tried.IMPORTANCE)


def _tried(lines: pd.DataFrame) -> Picture:
    draws, heights = search_figure.strips(lines)
    solved = lines.groupby("task")["solved"].sum()
    nothing = set(solved[solved == 0].index)
    cells = ", ".join(dict.fromkeys(lines["cell"]))
    return panelled(
        "search",
        "What the search tried",
        draws,
        search_figure.looks(lines["budget"].max()),
        frozenset(title for title in draws if title.partition(":")[0] in nothing),
        heights=heights,
        alt="Every configuration that was tried, as a point at the number that was searched "
        f"({', '.join(_drawn(lines))}), coloured by what it needed, of the cells {cells}.",
        sentence=_sensitive(tried.summary(lines)),
        statistic="Colour: mean of sequences to success, unsolved trials counted with the "
        "budget; crosses: no trial was solved. Large and ringed: chosen. Shaded: the outer "
        "tenths of what was tried. Of memories, triangles: units start with all from the "
        "shortest up to it; circles: with this one.",
    )


def _drawn(lines: pd.DataFrame) -> list[str]:
    return [label for name, label in search_figure.LABELS.items() if lines[name].notna().any()]


def _sensitive(found: pd.DataFrame) -> str:
    """How much the choice matters, in a sentence."""
    worked = found.groupby("cell", sort=False)[["with_success", "configurations"]].sum()
    share = worked["with_success"] / worked["configurations"]
    return (
        "Over all tasks, the largest share of configurations with any success has "
        f"{share.idxmax()} ({share.max():.0%}), the smallest {share.idxmin()} ({share.min():.0%})."
    )


def _importances(shares: pd.DataFrame) -> Picture:
    means = (
        shares.groupby("cell", sort=False)[list(tried.SETTINGS)].mean().dropna(axis=1, how="all")
    )
    overall = means.mean()
    return Picture(
        "importance",
        "Which settings matter",
        search_figure.importances(means),
        {"": search_figure.importances(means)},
        "Heat map of the importance of each setting for each cell, mean over the tasks.",
        f"On average over the cells, {overall.idxmax()} matters most ({overall.max():.0%}).",
        "Mean over the tasks that a cell solves; what importance means stands below.",
    )


def _sheet(lines: pd.DataFrame, shares: pd.DataFrame | None) -> Sheet:
    """The table of a search; importances are columns where they can be told."""
    frame = tried.summary(lines).rename(columns={"with_success": "with success"})
    if shares is not None:
        known = shares.set_index(["task", "cell"]).dropna(axis=1, how="all").map(settings.share)
        known.columns = [f"importance of {name}" for name in known.columns]
        frame = frame.join(known, on=["task", "cell"]).fillna("")
    return Sheet("searched", "The search", frame)
