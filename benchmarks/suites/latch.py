"""How often does one tanh unit learn to keep a bit for T steps? Bengio's latch (1994).

Both variants of the problem, with gradient descent and with Adam. The unit can solve the task at
any T, and starts with two attractors; what falls with T is the probability that it learns to.
"""

from benchmarks.learning.criteria import Inspection
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.learners import Adam, Learner, Momentum
from benchmarks.suites.base import Suite
from benchmarks.suites.common import FRESH, SOLVED_FRACTION
from models.latch_unit import LatchNet, LatchUnit, LatchUnitI
from tasks.latch import LatchI, LatchII

DELAYS = (4, 8, 16, 32, 64)
TRIALS = 50
BUDGET = 20_000
RATE = 0.01

# FIDELITY S11
LEARNERS: dict[str, Learner] = {
    "tanh-descent": Momentum(clip=float("inf"), momentum=0.0),
    "tanh-adam": Adam(clip=float("inf")),
}
VARIANTS = (("latch-i", LatchI, LatchUnitI), ("latch-ii", LatchII, LatchUnit))
CRITERION = Inspection.fraction_right(SOLVED_FRACTION, of=FRESH)

EXPERIMENTS = tuple(
    Experiment(
        name,
        T,
        cell,
        Recipe(task(T), LatchNet(unit), learner, CRITERION, BUDGET, inspect_every=20),
        RATE,
        TRIALS,
    )
    for name, task, unit in VARIANTS
    for T in DELAYS
    for cell, learner in LEARNERS.items()
)
SUITE = Suite("latch", __doc__, EXPERIMENTS)
