"""What stands on the report of a suite: pure functions of its experiments and rows."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.analysis import pairwise, paper_rows, sentences, tables
from benchmarks.learning import curves
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.program import TEST_GROUP
from benchmarks.report import figures, flow_figure, paper_figure
from benchmarks.running import flow_study
from benchmarks.suites.base import PaperSuite, Suite

WILSON = "Solved trials of all, with 95 % Wilson intervals."
RESULTS = (
    "Solved trials of all, with the 95 % Wilson interval. Median sequences: Kaplan-Meier, unsolved "
    "trials censored at the budget. Test right: of the test sequences of all trials; test error: "
    "median over trials; chance: the best constant output; at chance: no trial is solved and the "
    f"test error is at least {tables.AT_CHANCE:.0%} of the best constant output's. Seconds per "
    "trial: mean."
)
PART = "Experiments of which trials are missing"
NO_CURVES = (
    "These trials were run without keeping learning curves, so that none are drawn; "
    "`python -m benchmarks run` keeps those of the trials that it runs."
)


class Picture(NamedTuple):
    """A figure and what stands around it."""

    name: str
    title: str
    figure: Figure
    alt: str
    sentence: str
    statistic: str


class Sheet(NamedTuple):
    """A table and what stands above it."""

    name: str
    title: str
    frame: pd.DataFrame
    statistic: str


class Better(NamedTuple):
    """A matrix of cells for each task, `pairwise.better`, and what stands above them."""

    matrices: dict[str, pd.DataFrame]
    sentence: str
    statistic: str


class Contents(NamedTuple):
    """What stands on a page, in this order; `notices` are what a reader must know first."""

    notices: list[str]
    pictures: list[Picture]
    better: Better | None
    sheets: list[Sheet]


def of_cells(
    experiments: Sequence[Experiment],
    rows: pd.DataFrame,
    points: pd.DataFrame,
    reference: pd.DataFrame | None,
) -> Contents:
    """The page of a suite of cells and tasks.

    Args:
        experiments: what is compared.
        rows: their rows.
        points: learning curves of those trials, as far as they have any.
        reference: the committed rows, to compare; None where they are the same.
    """
    lines, counts = labelled(experiments, rows), counted(rows)
    looks = figures.looks(list(dict.fromkeys(lines["cell"])))
    learning = _learning(lines, rows, points, looks)
    pictures = [_success(lines), _curves(lines, rows, looks), *learning, _cost(lines, looks)]
    notices = [_plain(tables.missing(lines))] + [_plain(NO_CURVES)] * (not learning)
    whole = lines[(lines["trials"] > 0) & (lines["missing"] == 0)]
    if whole.empty:
        notices.append("No experiment is complete, so that success is not drawn against the delay.")
    elif lines.groupby("family")["delay"].nunique().max() > 1:
        pictures.insert(1, _delays(whole, looks))
    else:
        notices.append(
            "Every task of this suite has one delay only, so that success is not drawn against it."
        )
    pairs = pairwise.pairs(tables.by_task(experiments), rows)
    beside = tables.summary(experiments, reference) if reference is not None else None
    long = tables.long(lines, beside).rename(columns={"": "note"})
    rules = RESULTS + (" Reference: the committed results." if beside is not None else "")
    sheets = [
        Sheet("results", "All results", long, rules),
        Sheet("pairs", "Pairs of cells", pairwise.readable(pairs), _plain(pairwise.COLUMNS)),
    ]
    return Contents(
        [text for text in notices if text],
        [each._replace(statistic=f"{counts} {each.statistic}") for each in pictures],
        Better(
            pairwise.better(pairs),
            pairwise.sentence(pairs),
            f"{counts} {_plain(pairwise.RULES)}",
        ),
        [each._replace(statistic=f"{counts} {each.statistic}") for each in sheets],
    )


def of_paper(suite: PaperSuite, rows: pd.DataFrame, points: pd.DataFrame) -> Contents:
    """The page of a suite that stands beside the paper's rows; `points` are learning curves."""
    lines, counts = paper_rows.comparison(suite.compared, rows), counted(rows)
    table = paper_rows.readable(lines).fillna("").replace("*literal*", "literal")
    if not lines["variant"].any():
        table = table.drop(columns="variant")
    picture = Picture(
        "paper",
        "The paper beside ours",
        paper_figure.paper(lines),
        f"{len(lines)} rows: the paper's mean of sequences to success and ours on a log scale, and "
        "success rates of both; the table below has the numbers.",
        f"{paper_rows.verdicts(lines)} {sentences.furthest(lines)}",
        f"{counts} Mean sequences to success, unsolved trials counted with their budget (an arrow: "
        "the mean is a lower bound), with 95 % bootstrap intervals over trials; success rates with "
        "95 % Wilson intervals. The paper gives no intervals, and not always a success rate.",
    )
    ours = labelled(suite.experiments, rows)
    looks = figures.looks(list(dict.fromkeys(ours["cell"])))
    learning = [
        each._replace(statistic=f"{counts} {each.statistic}")
        for each in _learning(ours, rows, points, looks)
    ]
    notices = [paper_rows.missing(lines)] + [_plain(NO_CURVES)] * (not learning)
    sheet = Sheet("results", "All rows", table, f"{counts} {_plain(paper_rows.RULES)}")
    return Contents(list(filter(None, notices)), [picture, *learning], None, [sheet])


def of_flow(suite: Suite, rows: pd.DataFrame) -> Contents:
    """The page of the suite that measures how an error flows through initial networks."""
    lines, counts = flow_study.summary(suite.experiments, rows), counted(rows)
    picture = Picture(
        "flow",
        "What is left of an error",
        flow_figure.survival(lines),
        "Ratio of the norms of the error's gradient at the first and the last of T steps, and the "
        f"factor per step, against T, for the cells {', '.join(dict.fromkeys(lines['cell']))}.",
        flow_study.finding(lines),
        f"{counts} Above: medians with bands of the quartiles, cut at {flow_figure.SMALLEST:g}. "
        f"Below: the factor that, T - 1 times, gives the median. {flow_study.RULES}",
    )
    sheet = Sheet("results", "All results", flow_study.long(lines), f"{counts} {flow_study.RULES}")
    return Contents(list(filter(None, [flow_study.missing(lines)])), [picture], None, [sheet])


def labelled(experiments: Sequence[Experiment], rows: pd.DataFrame) -> pd.DataFrame:
    """`tables.summary` with three more columns: family (the task alone), delay and digest."""
    known = {(f"{each.task}-{each.delay}", each.cell): each for each in experiments}
    lines = tables.summary(experiments, rows)
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
        f"Heat map of success rates of {_named(lines)}, each with its count of solved trials.",
        sentences.success(lines),
        f"Solved trials of all. {PART} are hatched.",
    )


def _delays(lines: pd.DataFrame, looks: dict[str, figures.Look]) -> Picture:
    return Picture(
        "delay",
        "Success against delay",
        figures.delays(lines, looks),
        f"Success rate against delay of {_named(lines)}, one line for each cell.",
        sentences.delays(lines),
        f"{WILSON} Cells are moved apart a little. {PART} are left out, because trials that "
        "succeed finish first.",
    )


def _curves(lines: pd.DataFrame, rows: pd.DataFrame, looks: dict[str, figures.Look]) -> Picture:
    return Picture(
        "sequences",
        "How many sequences it takes",
        figures.curves(lines, rows, looks),
        f"Kaplan-Meier curves of {_named(lines)}: share solved against training sequences.",
        sentences.curves(lines),
        "Kaplan-Meier estimates of the share of trials solved by then, unsolved ones censored at "
        "the budget (a bar at the end), with 95 % Wilson bands.",
    )


def _learning(
    lines: pd.DataFrame, rows: pd.DataFrame, points: pd.DataFrame, looks: dict[str, figures.Look]
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
    halved = [
        curves.first_below(found[line.digest], (1 - line.chance_right) / 2)
        for line in lines.itertuples()
    ]
    trials = points.drop_duplicates(["digest", "seed", "trial"])
    lacking = len(rows) - len(trials)
    return [
        Picture(
            "learning",
            "Learning curves",
            figures.learning(lines, found, looks),
            f"Learning curves of {_named(lines)}: median share of wrong sequences against training "
            "sequences.",
            sentences.learning(lines.assign(halved=halved)),
            f"Curves of {len(trials)} trials"
            + (f"; {lacking} were run without keeping one" if lacking else "")
            + ". Median over trials of the share of wrong sequences, with quartiles (band): at "
            f"inspections, of the first {TEST_GROUP} fresh sequences (of fixed sets: of all "
            "strings); where a rule on the latest training sequences ends the trial, of those. A "
            "trial that has stopped keeps its last value, one that is solved too. Dotted: the best "
            "constant output.",
        )
    ]


def _cost(lines: pd.DataFrame, looks: dict[str, figures.Look]) -> Picture:
    return Picture(
        "cost",
        "What it costs",
        figures.cost(lines, looks),
        f"Success rate against seconds per trial of {_named(lines)}.",
        sentences.cost(lines),
        f"{WILSON} Mean seconds of a trial until it stops, an unsolved one after the whole budget; "
        "they do not travel to other machines. Larger markers: longer delays.",
    )


def _named(lines: pd.DataFrame) -> str:
    ran = lines[lines["trials"] > 0]
    cells = ", ".join(dict.fromkeys(ran["cell"]))
    return f"the cells {cells} on {', '.join(dict.fromkeys(ran['task']))}"


def _plain(text: str) -> str:
    """Without the marks of Markdown."""
    return text.replace("`", "").replace("*", "")
