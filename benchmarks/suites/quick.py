"""Which cell bridges a long delay? Six tasks, six cells, some minutes."""

from benchmarks.suites.base import RankedSuite
from benchmarks.suites.cells import CORE
from benchmarks.suites.common import Point, searched
from tasks.adding import Adding
from tasks.lag import Lag2c
from tasks.multiplication import Multiplication
from tasks.reber import Reber
from tasks.temporal_order import TemporalOrder6a
from tasks.two_sequence import TwoSequence3a

# FIDELITY S7
POINTS = (
    Point("reber", 9, Reber(), budget=40_000),
    Point("two-sequence", 50, TwoSequence3a(T=50, N=1), budget=40_000),
    Point("lag-2c", 30, Lag2c(p=8, q=30, longest_tail=39), budget=40_000),
    Point("order-6a", 50, TemporalOrder6a(T=50), budget=60_000),
    Point("adding", 40, Adding(T=40), budget=100_000),
    Point("multiplication", 30, Multiplication(T=30), budget=100_000),
)

EXPERIMENTS = searched("quick", POINTS, CORE, lengths=())
SUITE = RankedSuite("quick", __doc__, EXPERIMENTS, searched=True, matched=True)
