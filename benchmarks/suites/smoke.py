"""The regression check, `make check`: short delays, 64 trials, some minutes.

Every cell stands where it mostly succeeds, since what always fails cannot get worse: hence the gaps
in the table. All trials but Reber's stop by one rule on the latest training sequences, which costs
nothing and tells sequences to success to the batch.
"""

from benchmarks.learning.criteria import Criterion, Inspection, Recent
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.learners import Adam, Learner, Momentum, Online
from benchmarks.suites import paper
from benchmarks.suites.base import Suite
from benchmarks.suites.cells import CORE
from benchmarks.suites.common import DEFAULT_RATE, HIDDEN, RATES, Point
from models.lstm97.net import Net97
from models.network import Recurrent
from tasks.adding import Adding
from tasks.reber import Reber
from tasks.temporal_order import TemporalOrder6a
from tasks.two_sequence import TwoSequence3a

TRIALS = 64
# FIDELITY K1
RIGHT = Recent(wrong_at_most=25, window=500)
REBER = Reber()
ALL_STRINGS = Inspection(REBER.n_train + REBER.n_test, wrong_at_most=0)

TWO_SEQUENCE = Point("two-sequence", 20, TwoSequence3a(T=20, N=3), budget=10_000)
ORDER = Point("order-6a", 20, TemporalOrder6a(T=20), budget=10_000)
ORDER_MOMENTUM = Point("order-6a-momentum", 20, TemporalOrder6a(T=20), budget=20_000)
ADDING = Point("adding", 20, Adding(T=20), budget=50_000)
STRINGS = Point("reber", 9, REBER, budget=30_000)

MOMENTUM_RATE = 0.1  # FIDELITY K2
ADAM = Adam()


def modern(
    point: Point,
    *cells: str,
    criterion: Criterion = RIGHT,
    learner: Learner = ADAM,
    rate: float | None = None,
) -> tuple[Experiment, ...]:
    """Core cells on a task."""
    return tuple(
        Experiment(
            point.name,
            point.delay,
            cell,
            Recipe(
                point.task,
                Recurrent(CORE[cell], HIDDEN),
                learner,
                criterion,
                point.budget,
                inspect_every=25 if criterion is RIGHT else 50,
                test_size=256,
            ),
            rate or RATES.get((point.name, cell), DEFAULT_RATE),  # FIDELITY K2
            TRIALS,
        )
        for cell in cells
    )


def of_1997(point: Point, net: Net97, rate: float, budget: int) -> Experiment:
    """The net, learner and rate of the paper on a task."""
    recipe = Recipe(point.task, net, Online(), RIGHT, budget, inspect_every=500, test_size=256)
    return Experiment(point.name, point.delay, "lstm97", recipe, rate, TRIALS)


EXPERIMENTS = (
    *modern(STRINGS, "rnn", "lstm", "gru", criterion=ALL_STRINGS),
    *modern(ADDING, "lstm", "gru", "mut1", "mut2", "mut3"),
    *modern(TWO_SEQUENCE, *CORE),
    *modern(ORDER, "lstm", "gru", "mut1", "mut2", "mut3"),
    *modern(ORDER_MOMENTUM, "lstm", "gru", learner=Momentum(), rate=MOMENTUM_RATE),
    of_1997(ADDING, paper.ADDING_NET, 0.5, budget=100_000),
    of_1997(TWO_SEQUENCE, paper.TWO_SEQUENCE_NET, 1.0, budget=20_000),
    of_1997(ORDER, paper.ORDER_6A_NET, 0.5, budget=50_000),
)
"""The slowest first, so that no core is left alone with one at the end."""
SUITE = Suite("smoke", __doc__, EXPERIMENTS, searched=True, fixed=True)
