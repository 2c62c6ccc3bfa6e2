"""What do lanes without a trial cost in `paper`, and what could trials of other rows save there?

    python -m benchmarks.check.studies.empty_lanes     # seconds: it reads the committed rows

A job trains 16 trials side by side, 8 when no more are left, and takes as long with empty lanes as
with full ones. From what each committed trial has seen and taken, a model tells how full the lanes
of each job were, and how long jobs would take that also trained trials of other rows with the same
net and as many steps. That is a bound: a program for several tasks and criteria at once would take
as long as the slowest of them at every step. The figures go to docs/PERFORMANCE.md.
"""

import heapq
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from benchmarks import suites
from benchmarks.check.studies import document
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.lanes import Run
from benchmarks.learning.learners import Online
from benchmarks.learning.program_forward import FEW_LANES, ForwardProgram
from benchmarks.running import store
from benchmarks.running.jobs import grouped
from benchmarks.suites.common import RESULTS

PAGE = document.DOCS / "PERFORMANCE.md"
LANES = ForwardProgram.cpu_lanes
NARROW = 1.34 * FEW_LANES / LANES
"""Time with 8 lanes over that with 16; by `make speed`, a trial-step takes 1.34 times as long."""


@dataclass(frozen=True)
class Trained:
    """Trials of one job: what each has seen, and the seconds of a core that they took in all."""

    experiments: tuple[Experiment, ...]
    seen: tuple[float, ...]
    seconds: float

    @property
    def busy(self) -> float:
        """Share of the lanes' time in which they had a trial."""
        return sum(self.seen) / LANES / span(self.seen)

    @property
    def times(self) -> list[float]:
        """Seconds that each trial takes in a lane among full ones."""
        return [seen * self.seconds / span(self.seen) for seen in self.seen]


def span(times: Sequence[float]) -> float:
    """How long trials that take so long take together, in units of a time with 16 lanes."""
    lanes = [0.0] * LANES
    for time in times:
        heapq.heapreplace(lanes, lanes[0] + time)
    lanes.sort()
    few, last = lanes[LANES - FEW_LANES - 1], lanes[-1]  # from `few` on, 8 lanes are enough
    return few + NARROW * (last - few)


def jobs(experiments: Iterable[Experiment], rows: pd.DataFrame) -> list[Trained]:
    """The jobs of 1997's learner: experiments that share a recipe train together already."""
    ours = [
        each
        for each in experiments
        if isinstance(each.recipe.learner, Online) and each.recipe.learner.forward
    ]
    found = []
    for job in grouped({each: [Run(each, 0)] for each in ours}):
        members = tuple(run.experiment for run in job)
        mine = rows[rows["digest"].isin([each.digest for each in members])]
        found.append(Trained(members, tuple(mine["seen"]), mine["seconds"].sum()))
    return found


def sharing(found: Iterable[Trained]) -> list[list[Trained]]:
    """Jobs with equal nets and numbers of steps: they could fill each other's lanes."""
    groups: dict[Hashable, list[Trained]] = {}
    for job in found:
        recipe = job.experiments[0].recipe
        groups.setdefault((recipe.model, recipe.task.steps), []).append(job)
    return list(groups.values())


def shared(group: Sequence[Trained]) -> float:
    """Seconds that the jobs of a group take together, the job with the longest trial first."""
    first = sorted(group, key=lambda job: max(job.times), reverse=True)
    return span([time for job in first for time in job.times])


def line(group: Sequence[Trained]) -> dict[str, str]:
    """Rows that could share lanes: their time as it is, and as it would be."""
    alone = sum(job.seconds for job in group)
    names = [each.name.removesuffix(".lstm97") for job in group for each in job.experiments]
    return {
        "rows": ", ".join(names),
        "minutes": f"{alone / 60:.1f}",
        "lanes in use": ", ".join(f"{job.busy:.0%}" for job in group),
        "minutes if shared": f"{shared(group) / 60:.1f}" if len(group) > 1 else "",
    }


def text(rows: pd.DataFrame) -> str:
    """What the page says: a line for each group, the longest first, and their sum."""
    groups = sharing(jobs(suites.load("paper").experiments, rows))
    groups.sort(key=lambda group: -sum(job.seconds for job in group))
    alone = sum(job.seconds for group in groups for job in group)
    least = sum(shared(group) for group in groups)
    total = {
        "rows": "all",
        "minutes": f"{alone / 60:.1f}",
        "lanes in use": "",
        "minutes if shared": f"{least / 60:.1f} ({least / alone - 1:+.0%})",
    }
    lines = [*map(line, groups), total]
    return pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)


def main() -> None:
    """Reads the committed rows and writes what they tell into the document."""
    found = text(store.read_suite(RESULTS / "paper"))
    print(found)
    document.put("lanes", found, PAGE)


if __name__ == "__main__":
    main()
