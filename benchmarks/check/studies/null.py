"""How often does the check raise an alarm where nothing has changed?

    python -m benchmarks.check.studies.null

Runs fresh trials of suite `smoke` (what is missing of them), pools them with the baseline's, and
draws from the pool of each experiment, without replacement, trials that are called the baseline's
and trials that are called ours, again and again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import jax
import numpy as np
import pandas as pd
from rich.console import Console

from benchmarks.analysis import tables
from benchmarks.analysis.statistics import proportion
from benchmarks.check import baseline, verdicts
from benchmarks.check.run import BASELINE, TIMES
from benchmarks.check.studies import document
from benchmarks.learning.experiment import Experiment
from benchmarks.running import runner, store
from benchmarks.suites import smoke

SEED = 2
BLOCKS = 2  # so many times the suite's trials are run afresh
COMPARISONS = 1000
FOLDER = document.ROWS / "null"


class Count(NamedTuple):
    """How many comparisons there were, and how many said that something had changed."""

    comparisons: int
    alarms: int
    improved: int


def count(comparisons: Iterator[list[tuple[pd.DataFrame, pd.DataFrame]]]) -> Count:
    """Counts what comparisons, each a list of pairs (ours, theirs), find."""
    found = [[min(p) <= verdicts.LEVEL for p in verdicts.corrected(pairs)] for pairs in comparisons]
    worse, better = zip(*found, strict=True)
    return Count(len(found), sum(worse), sum(better))


def resampled(
    pools: Sequence[pd.DataFrame], ours: int, theirs: int, comparisons: int
) -> Iterator[list[tuple[pd.DataFrame, pd.DataFrame]]]:
    """Comparisons of trials from the same pools, one pool for each experiment."""
    for key in jax.random.split(jax.random.key(SEED), comparisons):
        pairs = []
        for pool, pool_key in zip(pools, jax.random.split(key, len(pools)), strict=True):
            order = np.asarray(jax.random.permutation(pool_key, len(pool)))
            pairs.append((pool.iloc[order[:ours]], pool.iloc[order[ours : ours + theirs]]))
        yield pairs


def blocks(
    experiments: Sequence[Experiment], fresh: pd.DataFrame, theirs: pd.DataFrame
) -> Iterator[list[tuple[pd.DataFrame, pd.DataFrame]]]:
    """Comparisons of each block of fresh trials with the baseline as it is."""
    for block in range(BLOCKS):
        yield [
            (now[now["trial"] // each.trials == block], verdicts.of(each.name, theirs))
            for each in experiments
            for now in [verdicts.of(each.name, fresh)]
        ]


def text(drawn: Count, real: Count, size: int, fresh: pd.DataFrame) -> str:
    """What the study has found."""
    rate = proportion(drawn.alarms, drawn.comparisons)
    return (
        f"{drawn.comparisons} null comparisons, resampled: for each, {smoke.TRIALS} trials and "
        f"{TIMES * smoke.TRIALS} trials of every experiment were drawn without replacement from "
        f"{size} stored ones (the baseline's and fresh ones of seed {SEED}). "
        f"**{drawn.alarms} raised an alarm: {drawn.alarms / drawn.comparisons:.1%}** "
        f"(95 % interval over drawings from these trials {rate.low:.1%} to {rate.high:.1%}); "
        f"{drawn.improved} called something improved. Besides, {real.comparisons} real checks, "
        f"each with {smoke.TRIALS} of the fresh trials against the baseline as it is: "
        f"{real.alarms} alarms, {real.improved} improved.\n\n"
        f"Fresh trials: {tables.origin(fresh)}"
    )


def main() -> None:
    """Runs the study and writes what it has found into the document."""
    jax.config.update("jax_platforms", "cpu")
    base = baseline.load(BASELINE)
    baseline.require_same(BASELINE, base, "smoke", SEED, smoke.EXPERIMENTS)
    wanted = [replace(each, trials=BLOCKS * each.trials) for each in smoke.EXPERIMENTS]
    runner.run(wanted, SEED, FOLDER, Console())
    fresh = tables.current(wanted, store.read_suite(FOLDER))
    columns = ["experiment", "outcome", "sequences", "budget"]
    pooled = pd.concat([fresh[columns], base.rows[columns]])
    pools = [verdicts.of(each.name, pooled) for each in smoke.EXPERIMENTS]
    drawn = count(resampled(pools, smoke.TRIALS, TIMES * smoke.TRIALS, COMPARISONS))
    real = count(blocks(smoke.EXPERIMENTS, fresh, base.rows))
    document.put("null", text(drawn, real, len(pools[0]), fresh))


if __name__ == "__main__":
    main()
