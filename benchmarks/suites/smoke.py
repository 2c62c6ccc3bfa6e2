"""A minute of everything, to see that the machinery runs; its figures mean nothing."""

from benchmarks.modern import experiments
from tasks.adding import Adding
from tasks.reber import Reber
from tasks.two_sequence import TwoSequence3a

TASKS = {
    ("reber", 9): Reber(),
    ("two-sequence", 20): TwoSequence3a(T=20, N=3),
    ("adding", 20): Adding(T=20),
}

EXPERIMENTS = experiments("smoke", TASKS, budget=10_000, trials=4)
