"""A minute of everything, to see that the machinery runs; its figures mean nothing."""

from benchmarks.suites.base import Suite
from benchmarks.suites.common import Point, experiments
from tasks.adding import Adding
from tasks.reber import Reber
from tasks.two_sequence import TwoSequence3a

POINTS = (
    Point("reber", 9, Reber(), budget=10_000),
    Point("two-sequence", 20, TwoSequence3a(T=20, N=3), budget=10_000),
    Point("adding", 20, Adding(T=20), budget=10_000),
)

EXPERIMENTS = experiments(POINTS, trials=4, rates={})
SUITE = Suite("tiny", __doc__, EXPERIMENTS)
