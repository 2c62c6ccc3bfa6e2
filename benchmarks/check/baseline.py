"""The committed baseline of a suite: one small CSV file, and where it comes from in its head."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.running import files, rules, schema
from benchmarks.running.schema import Columns

COLUMNS = Columns(
    {
        "experiment": str,
        "digest": str,
        "rate": "float64",
        "budget": "int64",
        "trial": "int64",
        "outcome": str,
        "sequences": "Int64",
    },
    key=["experiment", "trial"],
)
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
    files.write(path, head + baseline.rows.to_csv(index=False, lineterminator="\n"))


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
    data = files.read(path)
    if data is None:
        raise UsageError(f"there is no baseline {path}; {remedy}")
    lines = data.splitlines(keepends=True)
    head = list(itertools.takewhile(lambda line: line.startswith(b"# "), lines))
    origin = dict(filter(None, map(_named, head)))
    if not {"suite", "seed", *ORIGIN} <= set(origin):
        raise UsageError(f"{path} is not a baseline; {remedy}")
    if not data.endswith(b"\n"):
        raise UsageError(f"{path}, line {len(lines)}: cut off; {remedy}")
    return Baseline(origin, schema.parsed(path, b"".join(lines[len(head) :]), COLUMNS, len(head)))


def _named(line: bytes) -> tuple[str, str] | None:
    """The name and text of a line of the head; None if it is no such line, or not for people."""
    text = line.decode("utf-8", "replace").rstrip("\n")
    found = re.fullmatch(rf"# (\w+): ({rules.SHOWN})", text)
    return (found[1], found[2]) if found else None


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
