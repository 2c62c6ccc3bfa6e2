"""Success rate against delay: adding, temporal order and 2c, from 20 steps to 1000."""

from collections.abc import Callable

from benchmarks.suites.base import Suite
from benchmarks.suites.common import Point, experiments
from tasks.adding import Adding
from tasks.lag import Lag2c
from tasks.sequence import Task
from tasks.temporal_order import TemporalOrder6a

DELAYS = (20, 50, 100, 200, 500, 1000)

BUDGET = 60_000

FAMILIES: dict[str, Callable[[int], Task]] = {
    "adding": Adding,
    "order-6a": TemporalOrder6a,
    "lag-2c": lambda delay: Lag2c(p=8, q=delay, longest_tail=39),
}

POINTS = tuple(
    Point(name, delay, make(delay), BUDGET) for delay in DELAYS for name, make in FAMILIES.items()
)

# rates of one delay of each task, for all delays  # FIDELITY S5
EXPERIMENTS = experiments(POINTS, trials=20)
SUITE = Suite("lags", __doc__, EXPERIMENTS, searched=True)
