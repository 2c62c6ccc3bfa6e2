"""What a search has chosen for an experiment, and how far its solved networks reach: columns."""

import math

import pandas as pd

from benchmarks.learning import space

LENGTHS = ("longer_2", "longer_5", "longer_10")
SEARCHED = ["clip", "memory_high", "scale", "strength"]
"""Columns of a row of which at least one says something where a search has chosen the rate."""

NOTE = (
    "`rate`, `clip` and `start` are the search's choice; `*`: a rate in an outer tenth of what "
    "was tried. `memory`: steps that the gates keep their state for at the start, one number for "
    "all units or a range; `scale`: of the recurrent weights. `x2`, `x5`, `x10`: mean share of "
    "right sequences when a solved network meets delays so many times as long."
)


def summary(rows: pd.DataFrame) -> dict:
    """Of an experiment's rows: units, clip, start and the mean of each of `LENGTHS`.

    Columns are `rate_at_end` (in an outer tenth of what the search tried), `clip` (NaN where
    nothing was searched), `start` (text), `units` (None where the model's description does not
    tell) and the three of `LENGTHS`.
    """
    first = rows.iloc[0]
    searched = first[SEARCHED].notna().any()
    units = pd.Series([first["model"]]).str.extract(r"hidden=(\d+)")[0].iloc[0]
    return {
        "rate_at_end": bool(searched) and space.rates(first["learner"]).near_end(first["rate"]),
        "clip": first["clip"],
        "start": _start(first),
        "units": units,
        **{name: rows[name].mean() for name in LENGTHS},
    }


def _start(row: pd.Series) -> str:
    strength = f"strength {row['strength']:g}" if pd.notna(row["strength"]) else ""
    return ", ".join(filter(None, [_start_of_cell(row), strength]))


def _start_of_cell(row: pd.Series) -> str:
    if pd.notna(row["scale"]):
        return f"scale {row['scale']:g}"
    if pd.isna(row["memory_high"]):
        return ""
    low, high = f"{row['memory_low']:.3g}", f"{row['memory_high']:.3g}"
    return f"memory {high}" if low == high else f"memory {low}-{high}"


def columns(lines: pd.DataFrame) -> pd.DataFrame:
    """The readable form of `summary`, for lines of experiments that have been searched."""
    return pd.DataFrame(
        {
            "units": lines["units"],
            "rate": [f"{each.rate:.2g}{'*' * each.rate_at_end}" for each in lines.itertuples()],
            "clip": [_clip(clip) for clip in lines["clip"]],
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
