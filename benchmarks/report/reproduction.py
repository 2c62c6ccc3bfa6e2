"""`python -m benchmarks.report.reproduction`: docs/REPRODUCTION.md, the paper's tables beside ours.

Literal rows come from the suite `paper`, other readings of them from the suite `fidelity`.
"""

from pathlib import Path

import pandas as pd

from benchmarks.analysis import paper_rows, tables
from benchmarks.running import files, store
from benchmarks.suites import fidelity, paper
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

VERDICTS = {"agrees": "agree", "faster": "are faster", "slower": "are slower", "fails": "fail"}

HEAD = """# Did it reproduce?

The 31 LSTM rows of Hochreiter & Schmidhuber 1997, trained anew, in the order of the paper: its
figures, ours read literally (suite `paper`), and other readings of the same row that were tried
(suite `fidelity`, one change at a time; [FIDELITY.md](FIDELITY.md#fidelity-study) says what each
changes, and what was expected). With {readings} readings besides the literal ones, some agree by
luck.

Made by `python -m benchmarks.report.reproduction` from the rows in `results/`; those are made by
`python -m benchmarks run paper --out results` and the same of `fidelity`.

![The 31 rows of the paper: its mean of sequences to success beside
ours with 95 % intervals, and the success rates of both](figures/paper.png)

Of the literal rows {verdicts}.

{rules}
"""


def text() -> str:
    """The page."""
    literal, others = (_lines(suite.SUITE) for suite in (paper, fidelity))
    counts = literal["verdict"].value_counts()
    parts = [
        HEAD.format(
            readings=int((others["trials"] > 0).sum()),
            verdicts=", ".join(f"{counts.get(name, 0)} {say}" for name, say in VERDICTS.items()),
            rules=paper_rows.RULES,
        )
    ]
    for digit, title in EXPERIMENTS.items():
        mine, tried = (each[each["row"].str.startswith(digit)] for each in (literal, others))
        parts += [f"## {title}\n", _table(mine, tried), ""]
    return "\n".join(parts).rstrip() + "\n"


def _lines(suite: PaperSuite) -> pd.DataFrame:
    rows = tables.current(suite.experiments, store.read_suite(RESULTS / suite.name))
    return paper_rows.comparison(suite.compared, rows)


def _table(literal: pd.DataFrame, others: pd.DataFrame) -> str:
    lines = [
        {
            "row": line.row,
            "task": line.task,
            "net": line.net,
            "rate": f"{line.rate:g}",
            "paper": paper_rows.paper(line),
            "ours: solved": paper_rows.solved(line),
            "mean": paper_rows.mean(line),
            "ratio": paper_rows.ratio(line),
            "verdict": line.verdict,
            "other readings": _readings(others[others["row"] == line.row]),
        }
        for line in literal.itertuples()
    ]
    return pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)


def _readings(others: pd.DataFrame) -> str:
    """The other readings of a row, those that agree first and in bold."""
    ordered = others.assign(other=others["verdict"] != "agrees").sort_values("other", kind="stable")
    shown = (
        f"{line.variant}: {paper_rows.solved(line)}, {paper_rows.mean(line)} ({line.verdict})"
        for line in ordered[ordered["trials"] > 0].itertuples()
    )
    return "<br>".join(f"**{each}**" if "(agrees)" in each else each for each in shown)


if __name__ == "__main__":
    files.write(PAGE, text())
