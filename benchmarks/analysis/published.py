"""Figures that later papers have published, beside ours of the same variant and setting."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd
import scipy

from benchmarks.analysis.statistics import median_sequences, proportion, success_rate
from benchmarks.analysis.tables import NOT_RUN, quantity
from benchmarks.learning.experiment import Experiment

REFERENCE = Path(__file__).parent / "reference" / "published.csv"

RULES = (
    "Published: as the source has it, empty where it shows a curve without a number. Ours: of all "
    "trials; where the source gives a mean squared error, our mean absolute one, whose square it "
    "cannot fall below. Agrees or disagrees: our 95 % interval and the published figure (of k of n "
    "trials: its interval) meet or do not. Intervals of success rates are Wilson's, of means over "
    "trials Student's; no verdict where no figure is published, the measures differ or trials are "
    "missing. What a source leaves open of its setting is decided in docs/FIDELITY.md (S12)."
)


ELSEWHERE = (
    "Published figures of these remedies: at their authors' settings, which are not those of this "
    "suite, so that ours are the rows of suite `anchors`."
)


def reference() -> pd.DataFrame:
    """The published figures, as text; `experiment` names ours of the same variant and setting."""
    return pd.read_csv(REFERENCE, dtype=str, keep_default_na=False)


def beside(experiments: Sequence[Experiment], rows: pd.DataFrame) -> pd.DataFrame:
    """The published figures with columns `ours` and `verdict`, as text.

    Args:
        experiments: those that are run.
        rows: theirs.
    """
    known = {each.name: each for each in experiments}
    lines = reference()
    pairs = [(line, known.get(line.experiment)) for line in lines.itertuples()]
    ours = [_ours(line, experiment, rows) for line, experiment in pairs]
    verdicts = [_verdict(line, experiment, rows) for line, experiment in pairs]
    table = lines.drop(columns="experiment").rename(columns={"figure": "published", "delay": "T"})
    return table.assign(ours=ours, verdict=verdicts)


def proposed_by(found: pd.DataFrame, sources: Iterable[str]) -> pd.DataFrame:
    """Those of the figures whose source, without its table, one of these texts begins with."""
    texts = tuple(sources)
    own = [any(t.startswith(each.partition(" (")[0]) for t in texts) for each in found["source"]]
    return found[own]


def _ours(line, experiment: Experiment | None, rows: pd.DataFrame) -> str:
    own = rows[rows["digest"] == experiment.digest] if experiment else rows.iloc[:0]
    if own.empty:
        return NOT_RUN
    text = FIGURES[line.measure.partition(" (")[0]](own)
    absent = experiment.trials - len(own) if experiment else 0
    return text + (f" ({absent} trials have not been run)" if absent > 0 else "")


def _verdict(line, experiment: Experiment | None, rows: pd.DataFrame) -> str:
    """Whether the published figure lies in the 95 % interval of ours; empty where none can say."""
    own = rows[rows["digest"] == experiment.digest] if experiment else rows.iloc[:0]
    interval = INTERVALS.get(line.measure)
    if interval is None or not line.figure or not experiment or len(own) < experiment.trials:
        return ""
    ends = interval(own)
    if ends is None:
        return ""
    low, high = _published(line.figure)
    return "agrees" if ends[0] <= high and low <= ends[1] else "disagrees"


Ends = tuple[float, float]


def _published(figure: str) -> Ends:
    """A figure as it is printed, 100 % or 0.39; of 5/5, trials solved, the interval."""
    if "/" in figure:
        solved, trials = map(int, figure.split("/"))
        return proportion(solved, trials)[2:]
    number = float(figure.removesuffix("%")) / (100 if figure.endswith("%") else 1)
    return number, number


def _rate_interval(rows: pd.DataFrame) -> Ends:
    return success_rate(rows["outcome"])[2:]


def _mean_interval(values: pd.Series) -> Ends | None:
    """Student's interval of a mean over trials; of a single one there is none."""
    numbers = values.dropna().astype(float)
    if len(numbers) < 2:
        return None
    mean, error = float(numbers.mean()), float(numbers.sem())
    reach = error * float(scipy.stats.t.ppf(0.975, len(numbers) - 1))
    return mean - reach, mean + reach


INTERVALS: dict[str, Callable[[pd.DataFrame], Ends | None]] = {
    "solved": _rate_interval,
    "zero-one loss": lambda rows: _mean_interval(rows["test_wrong"] / rows["test_size"]),
    "right at length 5000": lambda rows: _mean_interval(rows["longer_25"]),
}
"""95 % intervals of ours, by what the source measures."""


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
