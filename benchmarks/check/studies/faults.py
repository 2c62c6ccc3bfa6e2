"""Which faults does the check catch?

    python -m benchmarks.check.studies.faults

Runs suite `smoke` with each fault in turn, on fresh trials, as many as two checks have, draws a
check's trials from them again and again, and compares those with the baseline. Only the experiments
that a fault touches are run; the others are taken to show nothing. What has been run stays, and the
table grows fault by fault.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import jax
import pandas as pd
from rich.console import Console

from benchmarks.analysis import tables
from benchmarks.analysis.statistics import holm
from benchmarks.check import baseline, verdicts
from benchmarks.check.run import BASELINE
from benchmarks.check.studies import document, null
from benchmarks.check.studies.planted import FAULTS, Fault
from benchmarks.learning.experiment import Experiment
from benchmarks.running import runner, store
from benchmarks.suites import smoke

SEED = 3
BLOCKS = 2  # so many times the suite's trials are run with a fault
CHECKS = 200
FOLDER = document.ROWS / "faults"


class Caught(NamedTuple):
    """What the checks of a planted fault have found.

    Attributes:
        fault: which.
        touched: number of experiments that it touches.
        alarms: number of checks that raised an alarm.
        improved: number of checks that called something improved.
        seen_by: in how many checks an experiment was called regressed, by name.
        rows: the trials.
    """

    fault: Fault
    touched: int
    alarms: int
    improved: int
    seen_by: Counter
    rows: pd.DataFrame


def planted(fault: Fault, experiments: Sequence[Experiment]) -> list[Experiment]:
    """The experiments that a fault touches, with the fault and more trials."""
    return [
        replace(fault.plant(each), trials=BLOCKS * each.trials)
        for each in experiments
        if fault.plant(each) != each
    ]


def caught(
    fault: Fault, experiments: Sequence[Experiment], rows: pd.DataFrame, theirs: pd.DataFrame
) -> Caught:
    """Compares the trials of each check with the baseline.

    Args:
        fault: what was planted.
        experiments: the suite without the fault.
        rows: trials with it.
        theirs: rows of the baseline.
    """
    names = [each.name for each in experiments if (rows["experiment"] == each.name).any()]
    untouched = [1.0] * (len(experiments) - len(names))
    pools = [verdicts.of(name, rows) for name in names]
    others = [verdicts.of(name, theirs) for name in names]
    alarms, improved = 0, 0
    seen_by: Counter[str] = Counter()
    for drawn in null.resampled(pools, smoke.TRIALS, 0, CHECKS):
        pairs = [(now, other) for (now, _), other in zip(drawn, others, strict=True)]
        worse = holm([verdicts.p_worse(*pair) for pair in pairs] + untouched)
        better = holm([verdicts.p_worse(*pair[::-1]) for pair in pairs] + untouched)
        alarms += min(worse) <= verdicts.LEVEL
        improved += min(better) <= verdicts.LEVEL
        seen_by.update(n for n, p in zip(names, worse, strict=False) if p <= verdicts.LEVEL)
    return Caught(fault, len(names), alarms, improved, seen_by, rows)


def table(results: Sequence[Caught]) -> str:
    """The table of faults, the ones that are not caught included."""
    lines = [
        {
            "fault": each.fault.what,
            "experiments touched": str(each.touched),
            "caught": f"{each.alarms / CHECKS:.0%}",
            "improved": f"{each.improved / CHECKS:.0%}",
            "seen most by": ", ".join(
                f"{n} {k / CHECKS:.0%}" for n, k in each.seen_by.most_common(3)
            ),
        }
        for each in results
    ]
    missed = [each.fault.what for each in results if each.alarms < 0.9 * CHECKS]
    rows = pd.concat([each.rows for each in results])
    how = (
        f"{CHECKS} checks of each fault: {smoke.TRIALS} trials of every experiment that it "
        f"touches, drawn without replacement from {BLOCKS * smoke.TRIALS} fresh ones."
    )
    return "\n\n".join(
        [
            pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True),
            f"Not caught 9 times in 10: {'; '.join(missed) or 'none'}.",
            f"{how} {tables.origin(rows)}",
        ]
    )


def main() -> None:
    """Runs the study, and rewrites the table after every fault."""
    jax.config.update("jax_platforms", "cpu")
    base = baseline.load(BASELINE)
    baseline.require_same(BASELINE, base, "smoke", SEED, smoke.EXPERIMENTS)
    results = []
    for fault in FAULTS:
        patched, folder = planted(fault, smoke.EXPERIMENTS), FOLDER / fault.name
        runner.run(patched, SEED, folder, Console())
        rows = tables.current(patched, store.read_suite(folder))
        results.append(caught(fault, smoke.EXPERIMENTS, rows, base.rows))
        document.put("faults", table(results))


if __name__ == "__main__":
    main()
