"""What stands on the page of a suite beside the paper's rows: pure functions, as in `sections`."""

from collections.abc import Mapping, Sequence

import pandas as pd

from benchmarks.analysis import paper_rows, readings, redrawn, sentences, tables
from benchmarks.analysis.paper_rows import Compared
from benchmarks.report import drawing, paper_figure, readings_figure, sections
from benchmarks.report.contents import Contents, Picture, Sheet

PAPER = (
    "Black: the paper. Ours: mean sequences to success, unsolved trials counted with their budget "
    "(an arrow: the mean is a lower bound), with 95 % bootstrap intervals over trials; success "
    "rates with 95 % Wilson intervals. The paper gives no intervals, and not always a success rate."
)
PAPER_FIRST = "row variant task verdict solved 95_% paper mean ratio rate net minutes"
"""Columns that decide a verdict, which a page shows first."""


def of_paper(
    compared: Sequence[Compared],
    rows: pd.DataFrame,
    points: pd.DataFrame,
    literal: pd.DataFrame | None = None,
    guessed: Mapping[str, str] = tables.NOTHING,
) -> Contents:
    """The page of a suite that stands beside the paper's rows.

    Args:
        compared: experiments beside the rows that they reproduce, with as many trials as were
            asked for.
        rows: the experiments' rows.
        points: learning curves of those trials.
        literal: lines of `paper_rows.comparison` of the literal reading, to stand beside variants.
        guessed: what guessing solves, by task.
    """
    own = paper_rows.comparison(compared, rows, guessed)
    lines = own if literal is None else _beside(literal, own)
    tasks = [line.task.replace(f"-{line.variant}-", "-") for line in lines.itertuples()]
    table = paper_rows.readable(lines.assign(task=tasks)).fillna("").replace("*literal*", "literal")
    if not lines["variant"].any():
        table = table.drop(columns="variant")
    picture = Picture(
        "paper",
        "The paper beside ours",
        paper_figure.paper(lines),
        paper_figure.narrow_papers(lines),
        f"{len(lines)} rows: the paper's mean of sequences to success and ours on a log scale, and "
        "success rates of both; the table below has the numbers.",
        f"{paper_rows.verdicts(own)} {sentences.furthest(own)}",
        PAPER,
    )
    experiments = [each.experiment for each in compared]
    ours = sections.labelled(experiments, rows)
    looks = drawing.looks(list(dict.fromkeys(ours["cell"])))
    learning = sections.learning_pictures(ours, rows, points, looks)
    notices = [paper_rows.missing(own), "" if learning else sections.NO_CURVES]
    return Contents(
        [text for text in notices if text],
        [picture, *learning],
        None,
        [Sheet("results", "All rows", sections.first(table, PAPER_FIRST))],
        {
            "Trials": sections.counted(rows),
            "Columns and verdicts": sections.plain(paper_rows.rules(compared)),
        }
        | sections.guessing(guessed),
        sections.glossary_of(experiments),
    )


def of_readings(
    compared: Sequence[Compared],
    rows: pd.DataFrame,
    chosen_by: Sequence[str] = (),
    literal: pd.DataFrame | None = None,
    guessed: Mapping[str, str] = tables.NOTHING,
) -> Contents:
    """The page of a suite that asks which reading agrees with the most rows of the paper.

    Args:
        compared: experiments beside the rows that they reproduce.
        rows: the experiments' rows.
        chosen_by: rows for which the readings were chosen; none if they were not.
        literal: lines of `redrawn.comparison` of the literal reading, where it is not among
            those compared.
        guessed: what guessing solves, by task.
    """
    own = redrawn.comparison(compared, rows, guessed)
    lines = own if literal is None else _beside(literal.assign(variant="literal"), own)
    agreement = readings.agreement(lines)
    best = agreement.iloc[0]
    picture = Picture(
        "readings",
        "Rows of the paper by readings",
        readings_figure.grid(lines),
        readings_figure.narrow_grids(lines),
        f"{lines['row'].nunique()} rows of the paper's tables by {len(agreement)} readings, the "
        "verdict on each as colour and sign; the tables below have the numbers.",
        f"The most rows agree under {best['reading']}: {best['agrees']} of {best['rows']}.",
        "The readings are in the order of the rows that agree."
        + ("" if chosen_by else " The literal verdicts of suite paper are of more trials."),
    )
    table = paper_rows.readable(lines).fillna("")
    missing = paper_rows.missing(own)
    effects = pd.DataFrame() if chosen_by else readings.readable_effects(lines)
    sheets = [Sheet("agreement", "Rows that agree", readings.readable(lines))]
    if chosen_by:
        others = readings.readable(readings.unseen(lines, chosen_by))
        sheets.append(Sheet("unseen", "Rows that did not decide the choice", others))
    if not effects.empty:
        sheets.append(Sheet("effects", "What each choice changes", effects))
    return Contents(
        [missing] if missing else [],
        [picture],
        None,
        [*sheets, Sheet("results", "All rows", sections.first(table, PAPER_FIRST))],
        {
            "Trials": sections.counted(rows),
            "Readings": sections.plain(readings.rules(chosen_by)),
            **({} if effects.empty else {"Choices": readings.EFFECTS}),
            "Columns and verdicts": sections.plain(paper_rows.rules(compared)),
            **sections.guessing(guessed),
        },
        sections.glossary_of([each.experiment for each in compared]),
    )


def _beside(literal: pd.DataFrame, variants: pd.DataFrame) -> pd.DataFrame:
    """Each literal line before its variants, in the order of the paper."""
    lines = pd.concat([literal, variants], ignore_index=True)
    order = list(literal["row"])
    return lines.sort_values("row", key=lambda rows: rows.map(order.index), kind="stable")
