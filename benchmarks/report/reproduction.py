"""`python -m benchmarks.report.reproduction`: docs/REPRODUCTION.md, the paper's tables beside ours.

Literal rows come from the suites `paper` and `rivals`, other readings of them from the suite
`fidelity`; the companion papers' figures stand beside the suite `guessing`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from benchmarks.analysis import paper_rows, redrawn, tables
from benchmarks.analysis import readings as agreeing
from benchmarks.running import files, store
from benchmarks.suites import best_readings, fidelity, guessing, paper, readings, rivals
from benchmarks.suites.base import PaperSuite
from benchmarks.suites.common import RESULTS

PAGE = Path(__file__).parents[2] / "docs" / "REPRODUCTION.md"

EXPERIMENTS = {
    "1": "Experiment 1: embedded Reber grammar (Table 1)",
    "2": "Experiments 2a and 2b: long lags, noise-free and with random symbols (Table 2, text)",
    "3": "Experiment 2c: very long lags, many distractors (Table 3)",
    "4": "Experiment 3a: two sequences, noise beside the signal (Table 4)",
    "5": "Experiment 3b: noise on the signal (Table 5)",
    "6": "Experiment 3c: noise on the targets (Table 6)",
    "7": "Experiment 4: adding (Table 7)",
    "8": "Experiment 5: multiplication (Table 8)",
    "9": "Experiment 6: temporal order (Table 9)",
}
"""By the first digit of a row's number, in the order of the paper."""

VERDICTS = {
    "agrees": ("agrees", "agree"),
    "faster": ("is faster", "are faster"),
    "slower": ("is slower", "are slower"),
    "fails": ("fails", "fail"),
}
"""What one row does, and what several do."""

RARE = ["ST1 (paper)", "test wrong (paper)", "test error (paper)"]
"""Columns of tables in which the paper has such figures."""

HEAD = """# Did it reproduce?

What Hochreiter & Schmidhuber 1997 report in tables and text, trained anew, in the order of the
paper: its figures, ours read literally (31 rows of the LSTM, suite `paper`; 12 of other
methods, suite `rivals`), and other readings of the same row that were tried (suite `fidelity`,
one change at a time, or some together; [FIDELITY.md](FIDELITY.md#fidelity-study) says what each
changes, and what was expected). With {readings} readings besides the literal ones, some agree by
luck.

Made by `python -m benchmarks.report.reproduction` from the rows in `results/`; those are made by
`python -m benchmarks run paper --out results` and the same of the other suites.

![The 31 rows of the paper: its mean of sequences to success beside
ours with 95 % intervals, and the success rates of both](figures/paper.png)

Of the LSTM's rows, read literally, {verdicts}. {others}

{rules}

Weights: the paper's numbers; those of our LSTM rows are the same. Where the paper has them, in
brackets behind ours of solved trials: ST1, the sequences until the weaker of two stopping rules;
wrong sequences of the test set (Tables 7 to 9 print numbers of 2560); the mean absolute error on
the test set, of Table 6 against the target without noise. That of Table 8 the paper calls a mean
squared error, which it cannot be.
"""

COMPANION = """## Companion paper: guessing all weights

Schmidhuber, Hochreiter & Bengio 2001: the mean number of guesses, where their figure could be
checked, beside ours (suite `guessing`). Other readings have less noise on the input
(FIDELITY G6).
"""

READING = """## Which one reading agrees with the most rows?

{count} readings, each the same for all of the paper's rows that cost little (suite `readings`;
[FIDELITY.md](FIDELITY.md#which-one-reading-agrees-with-the-most-rows) has the question, what was
expected and what came).

![Rows of the paper's tables by readings, the reading that agrees with the most rows on the left:
the verdict on each as colour and sign](figures/readings.png)
"""

BEST = """The best two and the literal one with the paper's numbers of trials (suites
`best-readings` and `paper`), on the rows that are complete under all three:
"""
OTHERS = """Of these, the rows that did not decide which readings were chosen:
"""


def text() -> str:
    """The page."""
    literal, others, tried = (_lines(suite.SUITE) for suite in (paper, rivals, fidelity))
    changed = others["variant"] != ""
    others, tried = others[~changed], pd.concat([tried, others[changed]])
    parts = [
        HEAD.format(
            readings=int((tried["trials"] > 0).sum()),
            verdicts=_verdicts(literal),
            others=_of_others(others),
            rules=f"{paper_rows.RULES} {paper_rows.OF_RIVALS}",
        )
    ]
    both = pd.concat([literal, others])
    both = both.sort_values("row", key=lambda rows: rows.map(_number), kind="stable")
    for digit, title in EXPERIMENTS.items():
        mine, beside = (each[each["row"].str.startswith(digit)] for each in (both, tried))
        parts += [f"## {title}\n", _table(mine, beside), ""]
    return "\n".join([*parts, *_companion(), *_reading()]).rstrip() + "\n"


def _number(row: str) -> list[int]:
    return [int(part) for part in row.split(".")]


def _verdicts(lines: pd.DataFrame) -> str:
    counts = lines["verdict"].value_counts().reindex(list(VERDICTS), fill_value=0)
    say = [f"{count} {VERDICTS[name][count != 1]}" for name, count in counts.items()]
    return ", ".join(say)


def _of_others(lines: pd.DataFrame) -> str:
    ran = lines[lines["missing"] == 0]
    if ran.empty:
        return "The rows of other methods have not been run."
    return f"Of {len(ran)} experiments with other methods, {_verdicts(ran)}."


def _companion() -> list[str]:
    lines = _lines(guessing.SUITE)
    if not lines["trials"].any():
        return []
    changed = lines["variant"] != ""
    return [COMPANION, _table(lines[~changed], lines[changed], without=["rate"]), ""]


def _reading() -> list[str]:
    lines = _redrawn(readings.SUITE)
    if not lines["trials"].any():
        return []
    head = READING.format(count=lines["variant"].nunique())
    return [head, _agreement(lines), "", agreeing.rules(()), *_best_reading()]


def _best_reading() -> list[str]:
    lines = _redrawn(best_readings.SUITE)
    if not lines["trials"].any():
        return []
    chosen_by = best_readings.SUITE.chosen_by
    both = agreeing.common(pd.concat([_redrawn(paper.SUITE).assign(variant="literal"), lines]))
    others = agreeing.unseen(both, chosen_by)
    note = agreeing.OF_CHOSEN.format(count=len(chosen_by))
    return ["", BEST, _agreement(both), "", OTHERS, _agreement(others), "", note]


def _agreement(lines: pd.DataFrame) -> str:
    if lines.empty:
        return "None has been run yet."
    return agreeing.markdown(lines)


def _lines(suite: PaperSuite) -> pd.DataFrame:
    return paper_rows.comparison(suite.compared, _rows(suite))


def _redrawn(suite: PaperSuite) -> pd.DataFrame:
    return redrawn.comparison(suite.compared, _rows(suite))


def _rows(suite: PaperSuite) -> pd.DataFrame:
    return tables.current(suite.experiments, store.read_suite(RESULTS / suite.name))


def _table(literal: pd.DataFrame, others: pd.DataFrame, without: Sequence[str] = ()) -> str:
    reported = paper_rows.reference()
    lines = [
        _entry(line, reported.loc[line.row], others[others["row"] == line.row])
        for line in literal.itertuples()
    ]
    table = pd.DataFrame(lines).drop(columns=list(without)).fillna("")
    paper = table.filter(RARE).apply(lambda own: own.str.contains("(", regex=False).any())
    table = table.drop(columns=paper.index[~paper])
    return table.to_markdown(index=False, disable_numparse=True)


def _entry(line, reported: pd.Series, others: pd.DataFrame) -> dict[str, str]:
    known = {
        "row": line.row,
        "task": line.task,
        "net": line.net,
        "weights": str(reported["weights"]),
        "rate": f"{line.rate:g}",
        "paper": paper_rows.paper(line),
    }
    if not line.trials:
        return known | {"ours: solved": "not run"}
    ours = {
        "ours: solved": paper_rows.solved(line),
        "mean": paper_rows.mean(line),
        "ratio": paper_rows.ratio(line),
        "verdict": line.verdict,
    }
    beside = [
        _beside(line.st1, reported["sequences_st1"], tables.quantity),
        _beside(line.wrong if line.solved else float("nan"), line.paper_wrong, "{:.2%}".format),
        _beside(line.test_error, reported["test_error"], "{:.2g}".format),
    ]
    return (
        known | ours | dict(zip(RARE, beside, strict=True)) | {"other readings": _readings(others)}
    )


def _beside(ours: float, paper: float, show: Callable[[float], str]) -> str:
    """Our figure and, in brackets, the paper's, as far as there are any."""
    own = "" if pd.isna(ours) else show(ours)
    return own if pd.isna(paper) else f"{own or '-'} ({show(paper)})"


def _readings(others: pd.DataFrame) -> str:
    """The other readings of a row: in bold those that agree, in a single line those that fail."""
    ordered = others.assign(other=others["verdict"] != "agrees").sort_values("other", kind="stable")
    lines, fail = [], []
    for line in ordered[ordered["trials"] > 0].itertuples():
        solved = paper_rows.solved(line)
        told = f"{line.variant}: {solved}, {paper_rows.mean(line)} ({line.verdict})"
        if line.verdict == "fails":
            fail.append(f"{line.variant} {solved}")
        else:
            lines.append(f"**{told}**" if line.verdict == "agrees" else told)
    return "<br>".join([*lines, f"fail: {', '.join(fail)}"] if fail else lines)


if __name__ == "__main__":
    files.write(PAGE, text())
