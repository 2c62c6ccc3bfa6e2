"""What a searched suite has on its page beside others: its search, and all tasks at once."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from benchmarks.analysis import lengths, profile, ranking, tried
from benchmarks.learning.experiment import Experiment
from benchmarks.report import overall_figure, search_figure
from benchmarks.report.contents import Picture, Sheet, panelled
from benchmarks.report.drawing import PANEL, Look
from benchmarks.running.search import untested

OVERALL_TEXT = "Bars and bands: 95 % intervals over tasks and trials."
LENGTH_TEXT = (
    "Mean share of right sequences over the solved networks of a cell, when the delay is so many "
    "times as long as in training. Dotted: the best constant output. Lines are moved apart a "
    "little, so that equal ones stay visible."
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
            heights={"mean rank": max(PANEL, 0.9 + 0.19 * len(ranks))},
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
    reached = reached.sort_values("task", key=lambda each: each.map(tasks.index), kind="stable")
    own = {cell: look for cell, look in looks.items() if cell in set(reached["cell"])}
    furthest = reached[reached["times"] == reached["times"].max()]
    mean = furthest.groupby("cell", sort=False)["right"].mean()
    return [
        panelled(
            "lengths",
            "Longer sequences than those learnt from",
            overall_figure.lengths(reached, chances, looks),
            own,
            alt="Share of right sequences of solved networks against the delay, as a multiple of "
            f"that in training, of the cells {', '.join(own)}.",
            sentence=f"At {furthest['times'].iloc[0]} times the delay, solved networks of "
            f"{mean.idxmax()} are right most often ({mean.max():.0%}, the mean over the tasks that "
            "it solves).",
            statistic=LENGTH_TEXT,
        )
    ]


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
        heading="mean sequences to success",
        heights=heights,
        alt="Every configuration that was tried, as a point at its learning rate, initial "
        f"memory or recurrent scale, coloured by what it needed, of the cells {cells}.",
        sentence=_sensitive(tried.summary(lines)),
        statistic="Colour: mean of sequences to success, unsolved trials counted with the "
        "budget; crosses: no trial was solved. Large and ringed: chosen. Shaded: the outer "
        "tenths of what was tried. Of memories, triangles: units start with all from the "
        "shortest up to it; circles: with this one.",
    )


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
        known = shares.set_index(["task", "cell"]).map(_share)
        known.columns = [f"importance of {name}" for name in known.columns]
        frame = frame.join(known, on=["task", "cell"]).fillna("")
    return Sheet("searched", "The search", frame)


def _share(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.0%}"
