"""What stands on the page of a suite: pure functions of its experiments and rows."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from benchmarks.analysis import (
    pairwise,
    profile,
    published,
    ranking,
    sentences,
    settings,
    streams,
    tables,
)
from benchmarks.analysis.measured import Known
from benchmarks.analysis.settings import Searched
from benchmarks.learning import curves
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.program import TEST_GROUP
from benchmarks.report import (
    drawing,
    figures,
    flow_figure,
    glossary,
    row_figure,
    searched,
    streams_figure,
)
from benchmarks.report.contents import Better, Contents, Picture, Sheet, panelled
from benchmarks.report.drawing import FEW
from benchmarks.running import flow_study

RESULTS = {
    "Solved": "Solved trials of all; intervals and bands are 95 % Wilson intervals.",
    "Sequences": "Training sequences to success. Medians and curves are Kaplan-Meier estimates: "
    "unsolved trials are censored at the budget. They are no finer than trials are tested, in most "
    "suites every 2,000 sequences.",
    "Test": "Test right: of the test sequences of all trials. Test error: median over trials. "
    "Chance: the best constant output. At chance: no trial is solved or diverged, and the test "
    f"error is at least {tables.AT_CHANCE:.0%} of the best constant output's.",
    "Seconds": "Mean of a trial until it stops, an unsolved one after the whole budget; they do "
    "not travel to other machines.",
}
IN_ROWS = (
    "Point: the median over trials; line: from the lower to the upper quartile, unsolved trials "
    "beyond the budget (arrow). Right: solved trials of all."
)
LEARNING_IN_ROWS = (
    "When the share of wrong sequences is first below half of the best constant output's: its "
    "median over trials (point) and its quartiles (ends of the line; arrow: not within the "
    "budget). Right: the median at the end."
)
WRONG = (
    f"Shares: at inspections, of the first {TEST_GROUP} fresh sequences (of fixed sets: of all "
    "strings); where a rule on the latest training sequences ends the trial, of those. A trial "
    "that has stopped keeps its last value, one that is solved too."
)
APART = "Lines are moved apart a little, so that equal ones stay visible."
NO_CURVES = (
    "These trials were run without keeping learning curves, so that none are drawn; "
    "python -m benchmarks run keeps those of the trials that it runs."
)
CELLS_FIRST = (
    "task cell solved 95_% reference note median_sequences weights units tried rate clip start "
    "x2 x5 x10 guessing seconds/trial"
)
"""Columns that decide a reading, which a page shows first."""

MANY = 12  # cells


def of_cells(
    experiments: Sequence[Experiment],
    rows: pd.DataFrame,
    points: pd.DataFrame,
    reference: pd.DataFrame | None,
    tried: pd.DataFrame,
    guessed: Mapping[str, str] = tables.NOTHING,
    outcomes: Mapping[str, Searched] = settings.UNSEARCHED,
) -> Contents:
    """The page of a suite of cells and tasks.

    Args:
        experiments: what is compared, with as many trials as were asked for.
        rows: their rows.
        points: learning curves of those trials, as far as they have any.
        reference: the committed rows, to compare; None where they are the same.
        tried: rows of the search that has chosen the settings; empty where none has.
        guessed: what guessing solves, by task.
        outcomes: how many configurations of the search solved a trial, by digest.
    """
    lines = labelled(experiments, rows, outcomes)
    incomplete = plain(tables.missing(lines))
    if lines["cell"].nunique() > MANY:  # those without any trial would hide the others
        lines = lines[lines.groupby("cell")["trials"].transform("sum") > 0]
    looks = _of(lines[lines["trials"] > 0], drawing.looks(list(dict.fromkeys(lines["cell"]))))
    learning = learning_pictures(lines, rows, points, looks)
    pictures = [_success(lines), _curves(lines, rows, looks), *learning, _cost(lines, looks)]
    pictures += searched.longer(lines, rows, looks)
    notices = [incomplete, "" if learning else NO_CURVES]
    whole = lines[(lines["trials"] > 0) & (lines["missing"] == 0)]
    several = whole[whole.groupby("family")["delay"].transform("nunique") > 1]
    if several.empty:
        notices.append("No task has been run at two delays; success is not drawn against them.")
    else:
        pictures.insert(1, _delays(several, looks))
    pairs = pairwise.pairs(tables.by_task(experiments), rows)
    beside = tables.summary(experiments, reference) if reference is not None else None
    long = tables.long(lines, beside, guessed).rename(columns={"": "note"})
    sheets = [
        Sheet("results", "All results", first(long, CELLS_FIRST)),
        Sheet("pairs", "Pairs of cells", pairwise.readable(pairs)),
    ]
    beside = {"Reference": "The committed results."} if beside is not None else {}
    beside |= guessing(guessed)
    if rows["clip"].notna().any():
        pictures[1:1] = searched.overall(rows, looks)
        ranks = ranking.readable(ranking.ranking(rows), settings.by_cell(lines))
        sheets.insert(1, Sheet("ranking", "Cells by mean rank over tasks", ranks))
        note = f"{ranking.NOTE} {profile.NOTE}"
        beside |= {"Ranking": note, "Settings": plain(settings.NOTE)}
    if len(tried):
        found = searched.search(experiments, tried)
        pictures += found.pictures
        sheets.append(found.sheet)
        beside |= {"Search": found.note}
    more = {"Better": plain(pairwise.RULES), "Pairs of cells": plain(pairwise.COLUMNS)}
    return Contents(
        [text for text in notices if text],
        pictures,
        Better(pairwise.better(pairs), pairwise.sentence(pairs)),
        sheets,
        {"Trials": counted(rows)} | RESULTS | beside | more,
        glossary_of(experiments),
    )


def with_published(contents: Contents, found: pd.DataFrame, note: str = "") -> Contents:
    """The page with the table of published figures before its others.

    Args:
        contents: of the page.
        found: `published.beside`.
        note: what is to be said of these figures beside the rules of all.
    """
    sheet = Sheet("published", "Published figures beside ours", found)
    text = plain(f"{note} {published.RULES}".strip())
    return contents._replace(
        sheets=[sheet, *contents.sheets],
        definitions={**contents.definitions, "Published": text},
    )


def with_streams(
    contents: Contents, experiments: Sequence[Experiment], rows: pd.DataFrame
) -> Contents:
    """The page with what nets of streams use of the past, and the published table."""
    lines = streams.summary(experiments, rows)
    if lines.empty:
        return contents
    looks = _of(lines, drawing.looks(list(dict.fromkeys(each.cell for each in experiments))))
    picture = panelled(
        "contexts",
        "How far back the nets look",
        streams_figure.contexts(lines, looks),
        looks,
        alt="Bits for a symbol, above those of the source itself, against the number of latest "
        f"symbols that a net is shown, of {_named(lines)}.",
        sentence=sentences.reach(lines),
        statistic="Means over trials. At 0 a net knows all that there is to know.",
    )
    sheets = [
        Sheet("published", "Published figures beside ours", streams.published(experiments, rows)),
        Sheet("predictions", "Predictions", streams.readable(lines)),
    ]
    more = {"Streams": plain(streams.RULES), "Published": plain(streams.PUBLISHED)}
    return contents._replace(
        pictures=[*contents.pictures, picture],
        sheets=[*sheets, *contents.sheets],
        definitions={**contents.definitions, **more},
    )


def guessing(guessed: Mapping[str, str]) -> dict[str, str]:
    """How to read the column of guesses, where a page has one."""
    return {"Guessing": plain(tables.GUESSING.strip())} if guessed else {}


def of_flow(experiments: Sequence[Experiment], rows: pd.DataFrame) -> Contents:
    """The page of the suite that measures how an error flows through initial networks."""
    lines = flow_study.summary(experiments, rows)
    looks = drawing.looks(list(dict.fromkeys(lines.loc[lines["trials"] > 0, "cell"])))
    picture = panelled(
        "flow",
        "What is left of an error",
        flow_figure.survival(lines, looks),
        looks,
        alt="Ratio of the norms of the error's gradient at the first and the last of T steps, and "
        f"the factor per step, against T, for the cells {', '.join(looks)}.",
        sentence=flow_study.finding(lines),
        statistic="Left of an error: medians with bands of the quartiles, cut at "
        f"{flow_figure.SMALLEST:g}. Factor per step: that which, T - 1 times, gives the median. "
        f"{APART}",
    )
    return Contents(
        [text for text in [flow_study.missing(lines)] if text],
        [picture],
        None,
        [Sheet("results", "All results", flow_study.long(lines))],
        {"Networks": counted(rows), "Ratio": flow_study.RULES},
        glossary_of(experiments),
    )


def first(frame: pd.DataFrame, names: str) -> pd.DataFrame:
    """The frame with these of its columns first, as far as it has them."""
    deciding = [name.replace("_", " ") for name in names.split()]
    return frame[sorted(frame, key=lambda name: [*deciding, name].index(name))]


def glossary_of(experiments: Sequence[Experiment]) -> dict[str, dict[str, str]]:
    """What the tasks and cells of a page are."""
    return {"Tasks": glossary.tasks(experiments), "Cells": glossary.cells(experiments)}


def labelled(
    experiments: Sequence[Known],
    rows: pd.DataFrame,
    outcomes: Mapping[str, Searched] = settings.UNSEARCHED,
) -> pd.DataFrame:
    """`tables.summary` with three more columns: family (the task alone), delay and digest."""
    known = {(f"{each.task}-{each.delay}", each.cell): each for each in experiments}
    lines = tables.summary(experiments, rows, outcomes)
    found = [known[line.task, line.cell] for line in lines.itertuples()]
    return lines.assign(
        family=[each.task for each in found],
        delay=[each.delay for each in found],
        digest=[each.digest for each in found],
    )


def counted(rows: pd.DataFrame) -> str:
    """How many trials and seeds there are, in a sentence."""
    sizes, seeds = rows.groupby("digest").size(), sorted(rows["seed"].unique())
    each = f"{sizes.min()}" if sizes.nunique() == 1 else f"{sizes.min()} to {sizes.max()}"
    seed = f"{len(seeds)} seed{'s' if len(seeds) > 1 else ''} ({', '.join(map(str, seeds))})"
    return f"{len(rows)} trials, {each} of each of {len(sizes)} experiments, from {seed}."


def _success(lines: pd.DataFrame) -> Picture:
    return Picture(
        "success",
        "Solved trials",
        figures.heat_map(lines),
        figures.narrow_heat_maps(lines),
        f"Heat map of success rates of {_named(lines)}, each with its count of solved trials.",
        sentences.success(lines),
        "Solved trials of all, bright where most are. Hatched: trials are missing.",
    )


def _of(lines: pd.DataFrame, looks: dict[str, drawing.Look]) -> dict[str, drawing.Look]:
    """The looks of the cells of these lines, for a legend of what is drawn."""
    return {cell: look for cell, look in looks.items() if cell in set(lines["cell"])}


def _delays(lines: pd.DataFrame, looks: dict[str, drawing.Look]) -> Picture:
    looks = _of(lines, looks)
    return panelled(
        "delay",
        "Success against delay",
        figures.delays(lines, looks),
        looks,
        folded=_unsolved(lines, "family"),
        alt=f"Success rate against delay of {_named(lines)}, one line for each cell.",
        sentence=sentences.delays(lines),
        statistic=f"{APART} Left out: experiments of which trials are missing, and tasks that have "
        "been run at one delay only.",
    )


def _curves(lines: pd.DataFrame, rows: pd.DataFrame, looks: dict[str, drawing.Look]) -> Picture:
    draws = figures.curves(lines, rows, looks)
    heights: dict[str, float] = {}
    alt = f"Kaplan-Meier curves of {_named(lines)}: share solved against training sequences."
    statistic = f"Share of trials solved by then; a bar at the end: some are not. {APART}"
    if not _few(lines):
        draws, heights = row_figure.curves(lines, rows)
        looks = row_figure.LOOKS
        alt = f"Quartiles of training sequences to success of {_named(lines)}, a row for each cell."
        statistic = IN_ROWS
    return panelled(
        "sequences",
        "How many sequences it takes",
        draws,
        looks,
        folded=_unsolved(lines, "task"),
        heights=heights,
        alt=alt,
        sentence=sentences.curves(lines),
        statistic=statistic,
    )


def learning_pictures(
    lines: pd.DataFrame,
    rows: pd.DataFrame,
    points: pd.DataFrame,
    looks: dict[str, drawing.Look],
) -> list[Picture]:
    """The picture of the learning curves; none where no trial has one."""
    if points.empty:
        return []
    lines = lines[lines["digest"].isin(points["digest"])]
    budgets = rows.groupby("digest")["budget"].first()
    found = {
        digest: curves.quartiles(group, budgets[digest])
        for digest, group in points.groupby("digest")
    }
    drawn = [(found[line.digest], (1 - line.chance_right) / 2) for line in lines.itertuples()]
    halved = [curves.first_below(each.sequences, each.median, level) for each, level in drawn]
    lines = lines.assign(halved=halved)
    trials = points.drop_duplicates(["digest", "seed", "trial"])
    without = len(rows) - len(trials)
    counts = f"Curves of {len(trials)} trials" + (
        f"; {without} were run without keeping one" if without else ""
    )
    draws = figures.learning(lines, found, looks)
    heights: dict[str, float] = {}
    shown = _of(lines, looks)
    alt = f"Learning curves of {_named(lines)}: median share of wrong sequences against training "
    alt += "sequences."
    what = f"Median over trials of the share of wrong sequences, with quartiles (band). {APART} "
    what += "Dotted: the best constant output."
    if not _few(lines):
        draws, heights = row_figure.learning(lines, found)
        shown = row_figure.LOOKS
        alt = f"When {_named(lines)} have half as many sequences wrong as a constant output, a row "
        alt += "for each cell."
        what = LEARNING_IN_ROWS
    return [
        panelled(
            "learning",
            "Learning curves",
            draws,
            shown,
            folded=_unsolved(lines, "task") - set(lines.loc[np.isfinite(halved), "task"]),
            heights=heights,
            alt=alt,
            sentence=sentences.learning(lines),
            statistic=f"{counts}. {what} {WRONG}",
        )
    ]


def _cost(lines: pd.DataFrame, looks: dict[str, drawing.Look]) -> Picture:
    return panelled(
        "cost",
        "What it costs",
        figures.cost(lines, looks),
        looks,
        folded=_unsolved(lines, "family"),
        alt=f"Success rate against seconds per trial of {_named(lines)}.",
        sentence=sentences.cost(lines),
        statistic="Mean seconds of a trial. Larger markers: longer delays.",
    )


def _few(lines: pd.DataFrame) -> bool:
    """Whether the cells of each panel can be told apart as curves."""
    return lines.groupby("task")["cell"].nunique().max() <= FEW


def _unsolved(lines: pd.DataFrame, column: str) -> frozenset[str]:
    """Panels in which no trial is solved."""
    solved = lines.groupby(column)["solved"].sum()
    return frozenset(solved[solved == 0].index)


def _named(lines: pd.DataFrame) -> str:
    ran = lines[lines["trials"] > 0]
    cells = ", ".join(dict.fromkeys(ran["cell"]))
    return f"the cells {cells} on {', '.join(dict.fromkeys(ran['task']))}"


def plain(text: str) -> str:
    """Without the marks of Markdown."""
    return text.replace("`*`", "a star").replace("`", "").replace("*", "")
