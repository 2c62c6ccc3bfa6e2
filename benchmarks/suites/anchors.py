"""Published figures that can be run: later papers' variants, as close to their settings as known.

Nets, learners and budgets are the papers', but for what S12 in docs/FIDELITY.md names. Some of
these take hours.
"""

from benchmarks.learning.criteria import Criterion, Inspection
from benchmarks.learning.descents import NormClip, Plain
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.learners import Adam, Learner, Momentum, Nesterov
from benchmarks.learning.penalties import Omega
from benchmarks.learning.remedies import Remedied
from benchmarks.suites.base import PublishedSuite
from benchmarks.suites.common import FRESH, SOLVED_FRACTION
from models.gru import GRU
from models.lstm import LSTM
from models.network import Recurrent
from models.rnn import RNN, GaussianRNN
from tasks.copying import ARJOVSKY16_100, ARJOVSKY16_200
from tasks.sequence import Task
from tasks.temporal_order import TemporalOrderPascanu13, TemporalOrderPascanu13Three
from tasks.variants import (
    ADDING_BAI18_600,
    ADDING_MS11_80,
    ADDING_PASCANU13_200,
    MULTIPLICATION_MS11_80,
    MULTIPLICATION_PASCANU13_200,
    AddingArjovsky16,
)

MODERN = Inspection.fraction_right(SOLVED_FRACTION, of=FRESH)
TRIALS = 5


def _lstm(name: str, T: int, task: Task) -> Experiment:
    """An LSTM with 80 units."""
    # FIDELITY S12
    recipe = Recipe(task, Recurrent(LSTM, 80), Adam(), MODERN, budget=500_000)
    return Experiment(name, T, "lstm", recipe, 0.001, TRIALS)


ARJOVSKY = (
    _lstm("adding-arjovsky16", 100, AddingArjovsky16(100)),
    _lstm("adding-arjovsky16", 200, AddingArjovsky16(200)),
    _lstm("copy-arjovsky16", 100, ARJOVSKY16_100),
    _lstm("copy-arjovsky16", 200, ARJOVSKY16_200),
)

BAI = tuple(
    Experiment(
        "adding-bai18",
        600,
        name,
        # FIDELITY S12
        Recipe(ADDING_BAI18_600, model, Adam(batch=32), MODERN, budget=156 * 3200),
        0.001,
        trials=2,  # each takes an hour and more
    )
    for name, model in (("lstm", Recurrent(LSTM, 130)), ("gru", Recurrent(GRU, 151)))
)

PASCANU_RULE: Criterion = Inspection(10_000, wrong_at_most=99)  # fewer than 1 % of 10,000
PASCANU = Experiment(
    "order-pascanu13",
    200,
    "rnn",
    # FIDELITY S12
    Recipe(
        TemporalOrderPascanu13(longest=200, shortest=50),
        Recurrent(RNN, 50),
        Momentum(batch=20, clip=1.0, momentum=0.0),
        PASCANU_RULE,
        budget=100_000_000,
        inspect_every=2500,
    ),
    0.01,
    TRIALS,
    lengths=(25,),  # 1250 to 5000 steps
)


def _omega(name: str, task: Task, lengths: tuple[int, ...] = ()) -> Experiment:
    """50 tanh units, regularised and clipped."""
    # FIDELITY S12
    recipe = Recipe(
        task,
        Recurrent(GaussianRNN, 50),
        Remedied(batch=20, descent=Plain(), guard=NormClip(1.0), penalty=Omega(2.0)),
        PASCANU_RULE,
        budget=100_000_000,
        inspect_every=2500,
    )
    return Experiment(name, 200, "rnn-omega", recipe, 0.01, TRIALS, lengths=lengths)


OMEGA = (
    _omega("order-pascanu13", TemporalOrderPascanu13(longest=200, shortest=50), (25,)),
    _omega("order-three-pascanu13", TemporalOrderPascanu13Three(longest=200, shortest=50)),
    _omega("adding-pascanu13", ADDING_PASCANU13_200),
    _omega("multiplication-pascanu13", MULTIPLICATION_PASCANU13_200),
)

SUTSKEVER_RULE: Criterion = Inspection(10_000, wrong_at_most=2)  # the best loss that they report


def _momentum(name: str, task: Task, momentum: float) -> Experiment:
    """100 tanh units, 50,000 updates with 100 sequences each."""
    # FIDELITY S12
    learner: Learner = Nesterov(batch=100, clip=1.0, momentum=momentum)
    recipe = Recipe(
        task,
        Recurrent(RNN, 100),
        learner,
        SUTSKEVER_RULE,
        budget=5_000_000,
        inspect_every=1000,
        test_size=10_000,
    )
    return Experiment(name, 80, f"rnn-{momentum:g}", recipe, 0.001, trials=4)


SUTSKEVER = tuple(
    _momentum(name, task, momentum)
    for name, task in (
        ("adding-ms11", ADDING_MS11_80),
        ("multiplication-ms11", MULTIPLICATION_MS11_80),
    )
    for momentum in (0.0, 0.9, 0.98, 0.995)
)

EXPERIMENTS = (*ARJOVSKY, *SUTSKEVER, *BAI, PASCANU, *OMEGA)
SUITE = PublishedSuite("anchors", __doc__, EXPERIMENTS)
