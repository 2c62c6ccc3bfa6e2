"""Which cell bridges a long delay? Six tasks, six cells, a quarter of an hour."""

from benchmarks.modern import experiments
from tasks.adding import Adding
from tasks.lag import Lag2c
from tasks.multiplication import Multiplication
from tasks.reber import Reber
from tasks.temporal_order import TemporalOrder6a
from tasks.two_sequence import TwoSequence3a

TASKS = {
    ("reber", 9): Reber(),
    ("two-sequence", 50): TwoSequence3a(T=50, N=1),
    ("lag-2c", 30): Lag2c(p=8, q=30, longest_tail=39),
    ("order-6a", 50): TemporalOrder6a(T=50),
    ("adding", 40): Adding(T=40),
    ("multiplication", 30): Multiplication(T=30),
}

EXPERIMENTS = experiments("quick", TASKS, budget=100_000, trials=20)
TUNED_ON = EXPERIMENTS
