"""Figures that later papers have published, beside ours of the same variant and setting."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from benchmarks.analysis.statistics import median_sequences
from benchmarks.analysis.tables import NOT_RUN, quantity
from benchmarks.learning.experiment import Experiment

REFERENCE = Path(__file__).parent / "reference" / "published.csv"

RULES = (
    "Published: as the source has it, empty where it shows a curve without a number. Ours: of all "
    "trials; where the source gives a mean squared error, our mean absolute one, whose square it "
    "cannot fall below. What a source leaves open of its setting is decided in docs/FIDELITY.md "
    "(S12)."
)


def reference() -> pd.DataFrame:
    """The published figures, as text; `experiment` names ours of the same variant and setting."""
    return pd.read_csv(REFERENCE, dtype=str, keep_default_na=False)


def beside(experiments: Sequence[Experiment], rows: pd.DataFrame) -> pd.DataFrame:
    """The published figures with a column `ours`, as text.

    Args:
        experiments: those that are run.
        rows: theirs.
    """
    known = {each.name: each for each in experiments}
    lines = reference()
    ours = [_ours(line, known.get(line.experiment), rows) for line in lines.itertuples()]
    table = lines.drop(columns="experiment").rename(columns={"figure": "published", "delay": "T"})
    return table.assign(ours=ours)


def _ours(line, experiment: Experiment | None, rows: pd.DataFrame) -> str:
    own = rows[rows["digest"] == experiment.digest] if experiment else rows.iloc[:0]
    if own.empty:
        return NOT_RUN
    text = FIGURES[line.measure.partition(" (")[0]](own)
    absent = experiment.trials - len(own) if experiment else 0
    return text + (f" ({absent} trials have not been run)" if absent > 0 else "")


def _solved(rows: pd.DataFrame) -> str:
    return f"{(rows['outcome'] == 'solved').sum()}/{len(rows)}"


def _wrong(rows: pd.DataFrame) -> str:
    return f"{rows['test_wrong'].sum() / rows['test_size'].sum():.2g}"


def _squared(rows: pd.DataFrame) -> str:
    error = rows["test_error"].mean()
    return f"error {error:.2g}, MSE >= {error**2:.1e}"


def _longer(rows: pd.DataFrame) -> str:
    shares = rows["longer_25"].dropna()
    return f"{shares.mean():.0%} at 1250 to 5000" if len(shares) else "none solved"


def _learnt(rows: pd.DataFrame) -> str:
    return f"{_solved(rows)} solved, median {quantity(median_sequences(rows))}"


FIGURES: dict[str, Callable[[pd.DataFrame], str]] = {
    "test MSE": _squared,
    "curve": _learnt,
    "solved": _solved,
    "right at length 5000": _longer,
    "zero-one loss": _wrong,
}
"""Ours, by what the source measures."""
