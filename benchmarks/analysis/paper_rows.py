"""The paper's figures beside ours: the table of suites that reproduce rows of its tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from rich.table import Table

from benchmarks.analysis import tables
from benchmarks.analysis.statistics import (
    fewer_solved,
    mean_interval,
    median_sequences,
    restricted_mean_sequences,
    success_rate,
)
from benchmarks.learning.experiment import Experiment

REFERENCES = [Path(__file__).parent / "reference" / f"{n}.csv" for n in ("hs97_tables", "guessing")]

FACTOR = 2.0
"""Means that differ by less agree: the paper's are of ten to thirty trials."""
SIGNIFICANT = 0.05
OWN = "lstm97"
"""Label of the paper's own method, which tables need not name."""

RULES = (
    "Ours: k/n solved trials of all with the 95 % Wilson interval; mean of the sequences to "
    "success, where an unsolved trial counts with its budget (`>`: a lower bound). Ratio: our "
    "mean by the paper's, with a 95 % bootstrap interval over our trials; the chance in the "
    "paper's own ten to thirty trials is not in it (a range is given in rows 1.9 and 7.3 only). "
    "Verdict: *fails* if significantly fewer trials are solved than in the paper (Fisher's "
    f"exact test, one-sided, p < {SIGNIFICANT}; the paper's rate is 100 % where it gives none); "
    "otherwise *slower* or *faster* if the whole interval of the ratio is beyond a factor of "
    f"{FACTOR:g}, else *agrees*: no such difference is shown, which is easier the more our trials "
    "vary."
)

OF_RIVALS = (
    "Where the paper's method fails in part of its trials, the paper's mean is of the others, and "
    "here ours is of solved trials, too. Where it solves none, *agrees* says that ours does not, "
    "either, within its budget (*faster*: significantly more are solved); where the paper says so "
    "without a number, its mean is `fails`. Where the paper has a figure from another paper, "
    "without a number of trials, *fails* says that its success rate lies above the interval of "
    "ours, or, where it has none, that none of ours is solved."
)
"""What differs for methods of which the paper reports failures; follows `RULES`."""


class Compared(NamedTuple):
    """An experiment that stands beside a row of the paper.

    Attributes:
        row: number of the row in `reference/`.
        experiment: what is run.
        variant: what is changed against the literal reading, empty for the literal one.
        of_solved: whether means are of solved trials only; else an unsolved one counts with its
            budget.
    """

    row: str
    experiment: Experiment
    variant: str = ""
    of_solved: bool = False


def reference() -> pd.DataFrame:
    """The paper's tables, and figures of its companions ("G.1" and so on), by row number."""
    text = {"row": str, "table": str, "sequences": str, "learning_rate": str}
    rows = pd.concat([pd.read_csv(path, dtype=text) for path in REFERENCES]).set_index("row")
    rows["sequences"] = pd.to_numeric(rows["sequences"].str.lstrip(">"))
    return rows


def comparison(
    compared: Sequence[Compared],
    rows: pd.DataFrame,
    guessed: Mapping[str, str] = tables.NOTHING,
) -> pd.DataFrame:
    """One line for each experiment: the paper's figures, ours, ratio and verdict.

    Columns: row, variant, of_solved (whether means are of solved trials only), task, net, rate,
    paper_trials, paper_success, paper_sequences, paper_st1, paper_wrong (fraction of the test set),
    trials, missing, solved, low, high, mean, bounded (whether an unsolved trial makes the mean a
    lower bound), median, first, last, st1, wrong (fraction of the test sets of solved trials),
    most_wrong, test_size, test_error, ratio, ratio_low, ratio_high, verdict, seconds; and, where
    anything is known of it, guessing (of `tables.matrix`).
    """
    paper = reference()
    lines = pd.DataFrame([_line(each, paper.loc[each.row], rows) for each in compared])
    if not guessed:
        return lines
    tasks = (f"{each.experiment.task}-{each.experiment.delay}" for each in compared)
    return lines.assign(guessing=[tables.in_a_line(guessed, task) for task in tasks])


def _line(each: Compared, paper: pd.Series, rows: pd.DataFrame) -> dict:
    experiment = each.experiment
    rows = rows[rows["digest"] == experiment.digest]
    line = {
        "row": each.row,
        "variant": each.variant,
        "of_solved": each.of_solved,
        "task": _task(experiment),
        "net": paper["hidden"],
        "rate": experiment.rate,
        "budget": experiment.recipe.budget,
        "paper_trials": paper["trials"],
        "paper_success": paper["success_percent"] / 100,
        "paper_sequences": paper["sequences"],
        "paper_st1": paper["sequences_st1"],
        "paper_wrong": _paper_wrong(paper),
        "trials": len(rows),
        "missing": max(experiment.trials - len(rows), 0),
    }
    if rows.empty:
        return line
    rate, solved = success_rate(rows["outcome"]), rows[rows["outcome"] == "solved"]
    counted = solved if each.of_solved else rows
    mean, *interval = _mean_with_interval(counted)
    ratio, low, high = (value / paper["sequences"] for value in (mean, *interval))
    line |= {
        "solved": rate.solved,
        "low": rate.low,
        "high": rate.high,
        "mean": mean,
        "bounded": rate.solved < rate.trials and not each.of_solved,
        "median": median_sequences(rows),
        "first": solved["sequences"].min(),
        "last": solved["sequences"].max(),
        "st1": solved["milestone"].mean(),
        "wrong": solved["test_wrong"].sum() / max(solved["test_size"].sum(), 1),
        "most_wrong": solved["test_wrong"].max(),
        "test_size": int(rows["test_size"].iloc[0]),
        "test_error": solved["test_error"].mean(),
        "ratio": ratio,
        "ratio_low": low,
        "ratio_high": high,
        "seconds": rows["seconds"].sum(),
    }
    return line | {"verdict": verdict(line)}


def _task(experiment: Experiment) -> str:
    """Task and delay, and what learns it where that is not the paper's own method."""
    method = "" if experiment.cell == OWN else f" {experiment.cell}"
    return f"{experiment.task}-{experiment.delay}{method}"


def _mean_with_interval(rows: pd.DataFrame) -> tuple[float, float, float]:
    """Mean of sequences to success and both ends of its interval, nan without a trial."""
    if rows.empty:
        return float("nan"), float("nan"), float("nan")
    return restricted_mean_sequences(rows), *mean_interval(rows)


def _paper_wrong(paper: pd.Series) -> float:
    """Fraction of the paper's test set that was wrong, nan where it is not given."""
    if pd.notna(paper["test_wrong_fraction"]):
        return float(paper["test_wrong_fraction"])
    return float(paper["test_wrong"]) / float(paper["test_size"])


def verdict(line: dict) -> str:
    """The rule of `RULES`: "agrees", "slower", "faster" or "fails".

    It is "incomplete" while trials lack, and "no figure" where the paper has none to compare with.
    """
    if line["missing"]:
        return "incomplete"
    if line["paper_success"] == 0:
        return "faster" if _more_than_none(line) else "agrees"
    if _fails(line):
        return "fails"
    if pd.isna(line["ratio_low"]):
        return "no figure"
    if line["ratio_low"] > FACTOR:
        return "slower"
    if line["ratio_high"] < 1 / FACTOR:
        return "faster"
    return "agrees"


def _fails(line: dict) -> bool:
    if pd.isna(line["paper_trials"]):
        return line["solved"] == 0 or line["high"] < line["paper_success"]
    success = 1.0 if pd.isna(line["paper_success"]) else line["paper_success"]
    theirs, of = round(success * line["paper_trials"]), int(line["paper_trials"])
    return fewer_solved(line["solved"], line["trials"], theirs, of) < SIGNIFICANT


def _more_than_none(line: dict) -> bool:
    """Whether we solve more than the paper, which solves none."""
    if pd.isna(line["paper_trials"]):
        return line["solved"] > 0
    of = int(line["paper_trials"])
    return fewer_solved(0, of, line["solved"], line["trials"]) < SIGNIFICANT


def rules(compared: Sequence[Compared]) -> str:
    """How to read the columns, and how verdicts come about."""
    return f"{RULES} {OF_RIVALS}" if any(each.of_solved for each in compared) else RULES


def missing(lines: pd.DataFrame) -> str:
    """What a half-finished run still lacks; empty if nothing."""
    incomplete = lines[lines["missing"] > 0]
    if incomplete.empty:
        return ""
    names = tables.first([f"{r.row} {r.variant}".strip() for r in incomplete.itertuples()])
    return f"Not complete: {incomplete['missing'].sum()} trials have not been run, of rows {names}."


def readable(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines as text, for people."""
    return pd.DataFrame([_readable(line) for line in lines.itertuples()])


def _readable(line) -> dict[str, str]:
    variant = {"variant": line.variant or "*literal*"}
    start = {
        "row": line.row,
        "task": line.task,
        **variant,
        "net": line.net,
        "rate": f"{line.rate:g}",
        "paper": paper(line),
    }
    guessing = {"guessing": line.guessing} if hasattr(line, "guessing") else {}
    if not line.trials:
        return start | {"solved": "not run"} | guessing
    ours = {
        "solved": solved(line),
        "95 %": f"{line.low:.2f}-{line.high:.2f}",
        "mean": mean(line),
        "median": tables.quantity(line.median),
        "range": _between(line.first, line.last, tables.quantity),
        "ST1 (paper)": _st1(line),
        "test wrong (paper)": _wrong(line),
        "ratio": ratio(line),
        "verdict": line.verdict,
        "minutes": f"{line.seconds / 60:.1f}",
    }
    return start | ours | guessing


def paper(line) -> str:
    """The paper's mean of sequences, its success rate and its number of trials."""
    if not _their_mean(line):
        return ""
    success = "" if pd.isna(line.paper_success) else f"{line.paper_success:.0%} of "
    trials = "?" if pd.isna(line.paper_trials) else f"{line.paper_trials:.0f}"
    return f"{_their_mean(line)} ({success}{trials})"


def _their_mean(line) -> str:
    """The paper's mean; where nothing is solved, the sequences within which it is not."""
    if pd.isna(line.paper_sequences):
        return "fails" if line.paper_success == 0 else ""
    return (">" if line.paper_success == 0 else "") + tables.quantity(line.paper_sequences)


def solved(line) -> str:
    """Solved trials of all."""
    of = f" of {line.trials + line.missing}" if line.missing else ""
    return f"{line.solved:.0f}/{line.trials}{of}"


def mean(line) -> str:
    """Our mean of sequences; `>` where it is a lower bound."""
    if pd.isna(line.mean):
        return ""
    return (">" if line.bounded else "") + tables.quantity(line.mean)


def _between(low: float, high: float, show) -> str:
    return "" if pd.isna(low) else f"{show(low)}-{show(high)}"


def _st1(line) -> str:
    if pd.isna(line.st1):
        return ""
    paper = "" if pd.isna(line.paper_st1) else f" ({tables.quantity(line.paper_st1)})"
    return tables.quantity(line.st1) + paper


def _wrong(line) -> str:
    if not line.solved:
        return ""
    paper = "" if pd.isna(line.paper_wrong) else f" ({line.paper_wrong:.2%})"
    return f"{line.wrong:.2%}{paper}"


def ratio(line) -> str:
    """Our mean by the paper's, with its interval."""
    ratio = _times(line)
    if not ratio or line.ratio_low == line.ratio_high:
        return ratio
    return f"{ratio} ({_between(line.ratio_low, line.ratio_high, '{:.2g}'.format)})"


def _times(line) -> str:
    """Our mean by the paper's; nothing where there is none."""
    return "" if pd.isna(line.ratio) else (">" if line.bounded else "") + f"{line.ratio:.2g}"


def verdicts(lines: pd.DataFrame) -> str:
    """How many rows got which verdict, in a sentence."""
    counts = lines.loc[lines["trials"] > 0, "verdict"].value_counts()
    text = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"{int(counts.sum())} of {len(lines)} rows have been run: {text}." if len(counts) else ""


def page(
    name: str,
    title: str,
    compared: Sequence[Compared],
    rows: pd.DataFrame,
    guessed: Mapping[str, str] = tables.NOTHING,
) -> str:
    """The Markdown page of such a suite."""
    lines = comparison(compared, rows, guessed)
    table = readable(lines).fillna("")
    if not lines["variant"].any():
        table = table.drop(columns="variant")
    parts = [
        f"# {name}: {title}",
        f"Made by `python -m benchmarks run {name}`; the rows are in `trials/`.",
        missing(lines),
        verdicts(lines),
        table.to_markdown(index=False, disable_numparse=True),
        rules(compared) + (tables.GUESSING if guessed else ""),
        tables.origin(tables.current([each.experiment for each in compared], rows)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def terminal(lines: pd.DataFrame, heading: str) -> Table:
    """The comparison as a rich table that fits 80 columns."""
    table = tables.plain(heading, collapse_padding=True)
    table.add_column("row")
    table.add_column("variant" if lines["variant"].any() else "task")
    for name in ("paper", "solved", "mean", "ratio"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    guessed = "guessing" in lines
    if guessed:
        table.add_column("guessed", justify="right")
    for line in lines.itertuples():
        paper = _their_mean(line)
        if line.trials:
            ours = [solved(line), mean(line), _times(line), line.verdict]
        else:
            ours = ["not run", "", "", ""]
        beside = [line.guessing.partition(",")[0]] if guessed else []  # without the median
        table.add_row(line.row, line.variant or line.task, paper, *ours, *beside)
    return table
