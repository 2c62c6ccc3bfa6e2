"""The two readings that agree with the most rows in suite `readings`, on all 31 rows of the paper.

They were chosen by the rule in docs/FIDELITY.md, which was written before any reading was run;
trials are as many as in `paper`, whose literal reading stands beside them.
"""

from benchmarks.suites import paper, readings
from benchmarks.suites.base import ReadingsSuite

BEST = (("steps", "small", "linear"), ("half", "full", "small"))

COMPARED = tuple(readings.compared(BEST, [each.row for each in paper.COMPARED]))
EXPERIMENTS = tuple(dict.fromkeys(each.experiment for each in COMPARED))
SUITE = ReadingsSuite(
    "best-readings",
    __doc__,
    EXPERIMENTS,
    compared=COMPARED,
    literal=paper.SUITE,
    chosen_by=readings.ROWS,
)
