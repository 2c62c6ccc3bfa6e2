"""What a search has tried and chosen for an experiment, and how far its solved networks reach."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from benchmarks.learning import space

LENGTHS = ("longer_2", "longer_5", "longer_10")
SEARCHED = ["clip", "memory_high", "scale", "strength"]
"""Columns of a row of which at least one says something where a search has chosen the rate."""

TRIED = (
    "`tried`: configurations of the search that solved a trial, of all that it tried; each was "
    "trained once, the best few three times more."
)
NOTE = (
    f"{TRIED} `rate`, `clip` and `start` are the search's choice; `*`: a number in an outer tenth "
    "of what was tried (of a range of memories, its longest), beyond which a better one may lie. "
    "`memory`: steps that the gates keep their state for at the start, one number for all units or "
    "a range; `scale`: of the recurrent weights. `x2`, `x5`, `x10`: mean share of right sequences "
    "when a solved network meets delays so many times as long."
)


class Searched(NamedTuple):
    """How many configurations a search has tried for an experiment, and what came of them.

    Attributes:
        with_success: how many of them solved a trial.
        configurations: how many there were.
    """

    with_success: int
    configurations: int


UNSEARCHED: Mapping[str, Searched] = {}


def summary(rows: pd.DataFrame) -> dict:
    """Of an experiment's rows: units, clip, start and the mean of each of `LENGTHS`.

    Columns are `rate_at_end` and `clip_at_end` (in an outer tenth of what the search tried), `clip`
    (NaN where nothing was searched), `start` (text, with a star behind such a number), `units`
    (None where the model's description does not tell) and the three of `LENGTHS`.
    """
    first = rows.iloc[0]
    ends = space.bounds(first["delay"], first["learner"])
    searched = first[SEARCHED].notna().any()
    units = pd.Series([first["model"]]).str.extract(r"hidden=(\d+)")[0].iloc[0]
    return {
        "rate_at_end": bool(searched) and ends["rate"].near_end(first["rate"]),
        "clip": first["clip"],
        "clip_at_end": _at_end(ends, "threshold", first["clip"]),
        "start": _start(first, ends),
        "units": units,
        **{name: rows[name].mean() for name in LENGTHS},
    }


Ends = Mapping[str, space.LogUniform]


def _at_end(ends: Ends, name: str, number: float) -> bool:
    """Whether a number that was searched, if it was, lies in an outer tenth."""
    return name in ends and pd.notna(number) and ends[name].near_end(number)


def _start(row: pd.Series, ends: Ends) -> str:
    return ", ".join(filter(None, [_start_of_cell(row, ends), _strength(row["strength"], ends)]))


def _start_of_cell(row: pd.Series, ends: Ends) -> str:
    scale, low, high = row["scale"], row["memory_low"], row["memory_high"]
    if pd.notna(scale):
        return f"scale {scale:g}{'*' * _at_end(ends, 'scale', scale)}"
    if pd.isna(high):
        return ""
    shortest, longest = f"{low:.3g}", f"{high:.3g}"
    steps = longest if shortest == longest else f"{shortest}-{longest}"
    return f"memory {steps}{'*' * _at_end(ends, 'memory', high)}"


def _strength(number: float, ends: Ends) -> str:
    """Of the remedy that the learner has."""
    if pd.isna(number):
        return ""
    if "momentum" in ends:
        return f"momentum {number:g}{'*' * _at_end(ends, 'momentum', 1 - number)}"
    return f"strength {number:g}{'*' * _at_end(ends, 'strength', number)}"


def by_cell(lines: pd.DataFrame) -> dict[str, str]:
    """What the search tried over all tasks, by cell: `93/144`; none where nothing was searched."""
    if "configurations" not in lines:
        return {}
    sums = lines.groupby("cell", sort=False)[list(Searched._fields)].sum()
    return {line.Index: _tried(line) for line in sums.itertuples() if line.configurations}


def _tried(line) -> str:
    found = pd.notna(line.configurations)
    return f"{line.with_success:.0f}/{line.configurations:.0f}" if found else ""


def columns(lines: pd.DataFrame) -> pd.DataFrame:
    """The readable form of `summary`, for lines of experiments that have been searched."""
    known = "configurations" in lines
    return pd.DataFrame(
        {
            "units": lines["units"],
            **({"tried": [_tried(each) for each in lines.itertuples()]} if known else {}),
            "rate": [f"{each.rate:.2g}{'*' * each.rate_at_end}" for each in lines.itertuples()],
            "clip": [f"{_clip(e.clip)}{'*' * e.clip_at_end}" for e in lines.itertuples()],
            "start": lines["start"],
            **{
                f"x{name.partition('_')[2]}": [share(value) for value in lines[name]]
                for name in LENGTHS
            },
        },
        index=lines.index,
    )


def _clip(clip: float) -> str:
    return "none" if math.isinf(clip) or math.isnan(clip) else f"{clip:g}"


def share(value: float) -> str:
    """A share in per cent; empty where there is none."""
    return "" if pd.isna(value) else f"{value:.0%}"
