"""The rows of a measurement: their columns, on disk, and how alternatives compare in them."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmarks.errors import UsageError
from benchmarks.running import files

COLUMNS = {
    "section": str,
    "group": str,
    "alternative": str,
    "cell": str,
    "hidden": "Int64",
    "delay": "Int64",
    "batch": "Int64",
    "trials": "Int64",
    "processes": "Int64",
    "repetition": "Int64",
    "calls": "Int64",
    "amount": "float64",
    "seconds": "float64",
    "figure": "float64",
    "unit": str,
    "compile_seconds": "float64",
    "note": str,
    "jax": str,
    "flax": str,
    "optax": str,
    "torch": str,
    "compiler": str,
    "python": str,
    "device": str,
    "cpu": str,
    "cores": str,
    "load": str,
    "commit": str,
    "dirty": str,
}
"""Columns of a file of measurements and their types; results/README.md says what each means."""

TEXTS = [name for name, kind in COLUMNS.items() if kind is str]


class Spread(NamedTuple):
    """Median, least and greatest of the repetitions."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: pd.Series) -> "Spread":
        """Of a number from each repetition."""
        return cls(float(values.median()), float(values.min()), float(values.max()))

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.low:.3g}-{self.high:.3g})"


def frame(rows: list[dict]) -> pd.DataFrame:
    """Rows as a table with all columns; what a row does not have is empty."""
    empty = dict.fromkeys(TEXTS, "")
    return pd.DataFrame([empty | row for row in rows], columns=list(COLUMNS)).astype(COLUMNS)


def save(path: Path, rows: pd.DataFrame) -> None:
    """Writes a file of measurements.

    Raises:
        UsageError: the folder cannot be written.
    """
    files.write(path, rows.to_csv(index=False, lineterminator="\n", float_format="%.6g"))


def load(path: Path) -> pd.DataFrame:
    """Reads a file of measurements.

    Raises:
        UsageError: there is none, or it is of another schema.
    """
    try:
        numbers = {name: [""] for name in COLUMNS if name not in TEXTS}
        rows = pd.read_csv(path, dtype=COLUMNS, keep_default_na=False, na_values=numbers)
        return rows[list(COLUMNS)]
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{path} is no file of measurements; make one with: make speed") from error


def of(rows: pd.DataFrame, section: str, group: str, alternative: str) -> pd.DataFrame:
    """The repetitions of an alternative, in order; none if it is missing."""
    chosen = (rows["section"] == section) & (rows["group"] == group)
    chosen &= (rows["alternative"] == alternative) & rows["seconds"].notna()
    return rows[chosen].set_index("repetition")


def cost(rows: pd.DataFrame) -> pd.Series:
    """Seconds for a unit of work, by repetition."""
    return rows["seconds"] / rows["amount"]


def ratio(rows: pd.DataFrame, section: str, group: str, over: str, under: str) -> Spread | None:
    """Time of an alternative over that of another for the same work, repetition by repetition.

    None where one of them is missing.
    """
    pair = [of(rows, section, group, each) for each in (over, under)]
    if any(each.empty for each in pair):
        return None
    return Spread.of(cost(pair[0]) / cost(pair[1]))
