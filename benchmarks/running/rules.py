"""What may stand in the columns of files; a column means the same in each, so each has one rule."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import pandas as pd

from benchmarks.learning.program import OUTCOMES


class Range(NamedTuple):
    """Numbers that may stand in a column: from `least` to `most`; `blank`: or none."""

    least: float
    most: float
    blank: bool = False

    def holds(self, values: pd.Series) -> pd.Series:
        """Which of these may."""
        inside = values.between(self.least, self.most).to_numpy(bool, na_value=False)
        return values.isna() | inside if self.blank else pd.Series(inside, values.index)


COUNT, SOME = Range(0, 2**53), Range(1, 2**53)
POSITIVE = Range(sys.float_info.min, sys.float_info.max)
SHARE, SIZE = Range(0, 1, blank=True), Range(0, float("inf"), blank=True)

NUMBERS: Mapping[str, Range] = {
    "file": COUNT,  # in no file, but of which one a line is (`schema.all_parsed`)
    **dict.fromkeys(("delay", "weights", "trial", "seen", "test_size", "test_wrong"), COUNT),
    **dict.fromkeys(("solved", "mean_sequences", "with_success"), COUNT),
    **dict.fromkeys(("budget", "trials", "configurations"), SOME),
    **dict.fromkeys(("sequences", "milestone"), SOME._replace(blank=True)),
    "seed": Range(0, 2**31 - 1),
    "rate": Range(0, sys.float_info.max),  # guessing has none: 0
    "seconds": Range(0, sys.float_info.max),
    "clip": POSITIVE._replace(most=float("inf"), blank=True),
    **dict.fromkeys(("memory_low", "memory_high"), POSITIVE._replace(blank=True)),
    **dict.fromkeys(("scale", "strength"), POSITIVE._replace(blank=True)),
    "wrong": SHARE._replace(blank=False),
    **dict.fromkeys(("longer_2", "longer_5", "longer_10", "longer_25"), SHARE),
    **dict.fromkeys(("error", "test_error", "near", "far", "low", "median", "high"), SIZE),
    **dict.fromkeys(("networks", "distance"), SOME),
    "streams": SOME._replace(blank=True),
    **dict.fromkeys(("prefix", "bits", "floor"), SIZE),
    **dict.fromkeys(("context_1", "context_4", "context_16", "context_64"), SIZE),
}
"""Rules for columns of numbers."""

LABEL = r"[\w.,()][\w.=,+()-]*"
NO_LABEL = r"^[=+-]|[^\w.=,+()-]"  # what is taken out of a name to make it one
SHOWN = r"([\w(][\w .,:;()/+=@-]*)?"

TEXTS: Mapping[str, str] = {
    "outcome": "|".join(OUTCOMES[1:]),
    "time": "before|after",
    "digest": r"\w+",
    **dict.fromkeys(("experiment", "task", "cell"), LABEL),
    **dict.fromkeys(("jax", "flax", "optax", "python", "device"), SHOWN),
    **dict.fromkeys(("commit", "dirty", "jax_settings"), SHOWN),
}
"""Rules for columns of text that people are shown, as regular expressions.

What they allow means nothing to a terminal, to Markdown or to a spreadsheet.
"""

Rows: TypeAlias = pd.DataFrame
AGREEMENTS: Sequence[tuple[str, str, Callable[[Rows], pd.Series], str]] = (
    (
        "sequences",
        "outcome",
        lambda rows: rows["sequences"].notna() == (rows["outcome"] == "solved"),
        "is given where, and only where, a trial is solved",
    ),
    (
        "sequences",
        "budget",
        lambda rows: ~(rows["sequences"] > rows["budget"]).fillna(False),
        "is at most the budget",
    ),
    (
        "test_wrong",
        "test_size",
        lambda rows: rows["test_wrong"] <= rows["test_size"],
        "is at most test_size",
    ),
    (
        "memory_low",
        "memory_high",
        lambda rows: (
            (rows["memory_low"] <= rows["memory_high"])
            | (rows["memory_low"].isna() & rows["memory_high"].isna())
        ),
        "is at most memory_high",
    ),
    (
        "rate",
        "learner",
        lambda rows: (rows["rate"] > 0) | rows["learner"].str.startswith("Guessing"),
        "is 0 of guessing alone",
    ),
    ("rate", "with_success", lambda rows: rows["rate"] > 0, "is above 0 in a choice"),
    ("solved", "trials", lambda rows: rows["solved"] <= rows["trials"], "is at most trials"),
)
"""What the first column must be beside the second, where a file has both."""


def fits(text: str, rule: str | None) -> bool:
    """Whether a text keeps to its rule, or, without one, is neither control nor formula."""
    if rule is not None:
        return bool(re.fullmatch(rule, text))
    return text.isprintable() and not text.startswith(("=", "+", "-", "@"))
