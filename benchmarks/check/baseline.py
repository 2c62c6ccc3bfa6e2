"""The committed baseline of a suite: one small CSV file, and where it comes from in its head."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.running.store import write

COLUMNS = {
    "experiment": str,
    "digest": str,
    "rate": "float64",
    "budget": "int64",
    "trial": "int64",
    "outcome": str,
    "sequences": "Int64",
}
"""Columns of a baseline; they mean what they mean in a results file."""

ORIGIN = ("commit", "dirty", "jax", "flax", "optax", "python", "device")


class Baseline(NamedTuple):
    """What was measured once, on purpose.

    Attributes:
        origin: suite, seed, commit, versions and device, as text by name.
        rows: one for each trial.
    """

    origin: dict[str, str]
    rows: pd.DataFrame


def made_from(suite: str, seed: int, rows: pd.DataFrame) -> Baseline:
    """A baseline from the rows of a run."""
    where = {name: ", ".join(sorted(rows[name].unique())) for name in ORIGIN}
    return Baseline({"suite": suite, "seed": str(seed), **where}, rows[list(COLUMNS)])


def save(path: Path, baseline: Baseline) -> None:
    """Writes a baseline."""
    head = "".join(f"# {name}: {text}\n" for name, text in baseline.origin.items())
    write(path, head + baseline.rows.to_csv(index=False, lineterminator="\n"))


def sentence(baseline: Baseline) -> str:
    """Where a baseline comes from."""
    of = baseline.origin
    versions = ", ".join(f"{name} {of[name]}" for name in ("jax", "flax", "optax", "python"))
    dirty = " (with uncommitted changes)" if "true" in of["dirty"] else ""
    return (
        f"Baseline of {of['suite']}: {len(baseline.rows)} trials, seed {of['seed']}; {versions}, "
        f"device {of['device']}, commit {of['commit']}{dirty}."
    )


def load(path: Path) -> Baseline:
    """Reads a baseline.

    Raises:
        UsageError: there is none, or it is not one.
    """
    remedy = "make one with: python -m benchmarks baseline (or name one with --baseline)"
    if not path.exists():
        raise UsageError(f"there is no baseline {path}; {remedy}")
    try:
        head = [line for line in path.read_text("utf-8").splitlines() if line.startswith("# ")]
        origin = dict(line[2:].split(": ", 1) for line in head)
        rows = pd.read_csv(path, dtype=COLUMNS, skiprows=len(head))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not a baseline; {remedy}") from error
    if list(rows.columns) != list(COLUMNS) or not {"suite", "seed", *ORIGIN} <= set(origin):
        raise UsageError(f"{path} is not a baseline of this version; {remedy}")
    return Baseline(origin, rows)


def require_same(
    path: Path, baseline: Baseline, suite: str, seed: int, experiments: Sequence[Experiment]
) -> None:
    """Refuses what cannot be compared; an experiment that is new or gone can.

    Raises:
        UsageError: the baseline is of another suite, of experiments that meant something else,
            or of the same seed.
    """
    remedy = f"if that is meant, write a new one with: python -m benchmarks baseline {suite}"
    if baseline.origin["suite"] != suite:
        raise UsageError(f"{path} is a baseline of suite {baseline.origin['suite']}, not {suite}")
    digests = dict(zip(baseline.rows["experiment"], baseline.rows["digest"], strict=True))
    common = [each for each in experiments if each.name in digests]
    if not common:
        raise UsageError(f"{path} has none of these experiments; {remedy}")
    if changed := [each.name for each in common if each.digest != digests[each.name]]:
        shown = ", ".join(changed[:3]) + (", ..." if len(changed) > 3 else "")
        raise UsageError(
            f"{path} measured something else: {len(changed)} of {len(common)} experiments have "
            f"another task, model, learner, criterion, budget, rate or setting of jax now "
            f"({shown}); {remedy}"
        )
    if baseline.origin["seed"] == str(seed):
        raise UsageError(
            f"{path} has seed {seed} too, so its trials are not independent of these; "
            "choose another with --seed"
        )
