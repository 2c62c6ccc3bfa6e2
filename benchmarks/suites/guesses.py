"""How easy are the tasks? Random guesses of all weights of a small net, on those of other suites.

A task that falls to a few thousand guesses is no test of a learner (Schmidhuber, Hochreiter &
Bengio 2001). Columns of sequences count guesses here; tables of the other suites have a column
with what is found. Nets of the paper's own comparison are in the suite `guessing`.
"""

from benchmarks.suites import anchors, compare, lags, latch, paper, quick, remedies, rivals
from benchmarks.suites.base import Suite
from benchmarks.suites.guessed import SUITE as NAME
from benchmarks.suites.guessed import by_task

SHOWN = (quick, compare, lags, remedies, latch, anchors, paper, rivals)

EXPERIMENTS = tuple(by_task(each for module in SHOWN for each in module.SUITE.experiments).values())
SUITE = Suite(NAME, __doc__, EXPERIMENTS)
