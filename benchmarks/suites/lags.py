"""Success rate against delay: adding, temporal order and 2c, from 50 steps to 1000.

Every cell has about as many weights as an LSTM with 16 units and, on every task and at every delay,
its own best of 12 configurations; half of them are the best of the delay before.
"""

from collections.abc import Callable

from benchmarks.suites.base import RankedSuite
from benchmarks.suites.cells import CORE
from benchmarks.suites.common import Point, searched
from tasks.adding import Adding
from tasks.lag import Lag2c
from tasks.sequence import Task
from tasks.temporal_order import TemporalOrder6a

DELAYS = (50, 100, 200, 500, 1000)
TRIALS = 20
TRIALS_OF_LONGEST = 10
CONFIGURATIONS = 12
BUDGET = 300_000

CELLS = (*CORE, "chrono-lstm", "irnn", "lru-2", "mingru-2")

FAMILIES: dict[str, Callable[[int], Task]] = {
    "adding": Adding,
    "order-6a": TemporalOrder6a,
    "lag-2c": lambda delay: Lag2c(p=8, q=delay, longest_tail=39),
}

# FIDELITY S10
POINTS = tuple(
    Point(name, delay, make(delay), BUDGET, TRIALS if delay < DELAYS[-1] else TRIALS_OF_LONGEST)
    for delay in DELAYS
    for name, make in FAMILIES.items()
)

EXPERIMENTS = searched("lags", POINTS, CELLS)
SUITE = RankedSuite(
    "lags",
    __doc__,
    EXPERIMENTS,
    searched=True,
    matched=True,
    staged=True,
    configurations=CONFIGURATIONS,
)
