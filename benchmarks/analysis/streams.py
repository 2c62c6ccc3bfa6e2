"""Of streams: how far nets predict them, in how many bits, and from how much of the past."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import scipy

from benchmarks.analysis.statistics import proportion
from benchmarks.analysis.tables import NOT_RUN, by_task, quantity
from benchmarks.learning.experiment import Experiment

REFERENCE = Path(__file__).parent / "reference" / "gers00.csv"
NETWORKS = 100
"""Networks behind each line of the published table."""

GOOD = 1000
LEVEL = 0.05

CONTEXTS = (1, 4, 16, 64)
NEAR = 0.01
"""Bits: a net that comes so near to its loss with all of the past uses no more of it."""

FIRST = ["task", "cell", "perfect", "prefix", "bits", "floor", "reach"]
BESIDE_FIRST = ["algorithm", "perfect", "ours", "verdict", "streams", "our streams"]
"""What has room in a terminal."""

RULES = (
    "Solved: all test streams are predicted without an error (perfect). Sequences count symbols. "
    "`prefix`: symbols up to the first error, mean over test streams and trials. `bits`: mean loss "
    "for a symbol; `floor`: that of the source itself, which no net can beat but by chance. "
    f"`bits of k`: where the net is shown the latest k symbols and no others; `reach`: the fewest "
    f"of them that come within {NEAR:g} bits of all."
)
PUBLISHED = (
    f"Gers, Schmidhuber & Cummins 2000, Table 2, of {NETWORKS} networks each; ours beside it with "
    "95 % Wilson intervals. Perfect: all test streams of 100,000 symbols without an error; "
    "streams: training streams until then, mean; good: a mean prefix above 1000, else the rest, "
    "with mean prefixes. Agrees: the shares of perfect ones do not differ (Fisher, p >= "
    f"{LEVEL:g}). How these figures are known, and what the source leaves open: docs/FIDELITY.md "
    "(N1 to N5)."
)


def summary(experiments: Sequence[Experiment], rows: pd.DataFrame) -> pd.DataFrame:
    """A line for each experiment that has rows of streams, in the order of tables.

    Columns: task (with its delay), cell, trials, solved, streams (mean of solved trials), prefix,
    bits, floor, context_1 ... context_64 (means over trials), and reach (symbols).
    """
    lines = []
    for each in by_task(experiments):
        own = rows[(rows["digest"] == each.digest) & rows["bits"].notna()]
        if own.empty:
            continue
        solved = own[own["outcome"] == "solved"]
        contexts = {f"context_{k}": own[f"context_{k}"].mean() for k in CONTEXTS}
        bits = own["bits"].mean()
        lines.append(
            {
                "task": f"{each.task}-{each.delay}",
                "cell": each.cell,
                "trials": len(own),
                "solved": len(solved),
                "streams": solved["streams"].astype(float).mean(),
                "prefix": own["prefix"].mean(),
                "bits": bits,
                "floor": own["floor"].mean(),
                **contexts,
                "reach": _reach(bits, contexts),
            }
        )
    return pd.DataFrame(lines, columns=COLUMNS)


COLUMNS = [
    *("task", "cell", "trials", "solved", "streams", "prefix", "bits", "floor"),
    *(f"context_{k}" for k in CONTEXTS),
    "reach",
]


def _reach(bits: float, contexts: dict[str, float]) -> float:
    """The fewest of the latest symbols that a net does as well with; inf if more than the most."""
    enough = [k for k in CONTEXTS if contexts[f"context_{k}"] <= bits + NEAR]
    return min(enough, default=float("inf"))


def readable(lines: pd.DataFrame) -> pd.DataFrame:
    """The readable form of `summary`."""
    return pd.DataFrame(
        {
            "task": lines["task"],
            "cell": lines["cell"],
            "perfect": [f"{r.solved}/{r.trials}" for r in lines.itertuples()],
            "streams": [_count(n) for n in lines["streams"]],
            "prefix": [_count(n) for n in lines["prefix"]],
            "bits": lines["bits"].map("{:.3f}".format),
            "floor": lines["floor"].map("{:.3f}".format),
            **{f"bits of {k}": lines[f"context_{k}"].map("{:.3f}".format) for k in CONTEXTS},
            "reach": [
                f"> {max(CONTEXTS)}" if n == float("inf") else f"{n:.0f}" for n in lines["reach"]
            ],
        }
    )


def published(experiments: Sequence[Experiment], rows: pd.DataFrame) -> pd.DataFrame:
    """The published table with ours beside it, as text."""
    known = {each.name: each for each in experiments}
    reference = pd.read_csv(REFERENCE)
    return pd.DataFrame([_beside(line, known, rows) for line in reference.itertuples()])


def _beside(line, known: dict[str, Experiment], rows: pd.DataFrame) -> dict[str, str]:
    experiment = known.get(line.experiment)
    own = rows[rows["digest"] == experiment.digest] if experiment else rows.iloc[:0]
    told = {
        "algorithm": line.algorithm,
        "perfect": f"{line.perfect} %",
        "ours": NOT_RUN,
        "verdict": "",
        "streams": _count(line.streams),
        "our streams": "",
        "good": _share(line.good, line.good_prefix),
        "our good": "",
        "rest": _share(line.rest, line.rest_prefix),
        "our rest": "",
    }
    if own.empty:
        return told
    solved = own[own["outcome"] == "solved"]
    others = own[own["outcome"] != "solved"]
    good = others[others["prefix"] > GOOD]
    rest = others[~(others["prefix"] > GOOD)]
    rate = proportion(len(solved), len(own))
    return told | {
        "ours": f"{rate.solved}/{rate.trials} ({rate.low:.0%} to {rate.high:.0%})",
        "verdict": verdict(line.perfect, rate.solved, rate.trials),
        "our streams": _count(solved["streams"].astype(float).mean()),
        "our good": _share(100 * len(good) / len(own), good["prefix"].mean()),
        "our rest": _share(100 * len(rest) / len(own), rest["prefix"].mean()),
    }


def verdict(perfect: int, solved: int, trials: int) -> str:
    """Whether so many perfect ones of `NETWORKS`, and solved ones of ours, can be one share."""
    table = [[perfect, NETWORKS - perfect], [solved, trials - solved]]
    if scipy.stats.fisher_exact(table).pvalue >= LEVEL:
        return "agrees"
    return "more" if solved / trials > perfect / NETWORKS else "fewer"


def _share(percent: float, prefix: float) -> str:
    text = f"{percent:.0f} %"
    return text if pd.isna(prefix) else f"{text}, {_count(prefix)}"


def _count(number: float) -> str:
    return "" if pd.isna(number) else quantity(number)
