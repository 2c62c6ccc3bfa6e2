"""Which architecture bridges a delay of about a hundred steps? All cells, at equal weights.

Every cell has about as many weights as an LSTM with 16 units and, on every task, its own best of
24 configurations of learning rate, clipping and initial time constant (or recurrent scale).
"""

from benchmarks.suites.base import RankedSuite
from benchmarks.suites.cells import ALL, LAYERED
from benchmarks.suites.common import Point, searched
from tasks.adding import Adding
from tasks.copying import CopyMemory
from tasks.lag import Lag2c
from tasks.multiplication import Multiplication
from tasks.parity import Parity
from tasks.reber import Reber
from tasks.temporal_order import TemporalOrder6a
from tasks.two_sequence import TwoSequence3a

BUDGET = 300_000
CONFIGURATIONS = 24

# FIDELITY S10
POINTS = tuple(
    Point(name, delay, task, BUDGET)
    for name, delay, task in (
        ("adding", 100, Adding(T=100)),
        ("order-6a", 100, TemporalOrder6a(T=100)),
        ("lag-2c", 100, Lag2c(p=8, q=100, longest_tail=39)),
        ("two-sequence", 100, TwoSequence3a(T=100, N=3)),
        ("multiplication", 100, Multiplication(T=100)),
        ("copy", 100, CopyMemory(T=100, K=5)),
        ("parity", 20, Parity(T=20)),
        ("reber", 9, Reber()),
    )
)

EXPERIMENTS = searched("compare", POINTS, [*ALL, *LAYERED])
SUITE = RankedSuite(
    "compare",
    __doc__,
    EXPERIMENTS,
    searched=True,
    matched=True,
    configurations=CONFIGURATIONS,
)
