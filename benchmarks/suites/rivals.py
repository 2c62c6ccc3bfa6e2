"""The other methods of Hochreiter & Schmidhuber 1997, Tables 1 and 2, read literally.

Real-time recurrent learning and full backpropagation through time on the paper's recurrent nets,
Elman nets with Elman's truncated procedure, recurrent cascade-correlation, and the neural sequence
chunker. Rates that the paper gives as a range are run at three of its points, with a third of the
trials each. RTRL and full BPTT with p = 100 have one million presentations, not the paper's five.
"""

from dataclasses import replace

from benchmarks.analysis.paper_rows import Compared
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.learners import Cascade, Online, Stepwise
from benchmarks.suites.base import PaperSuite
from benchmarks.suites.paper import REBER, REBER_BOTH_SETS, TEN_THOUSAND, THOUSAND
from models.rivals.cascade import CascadeNet
from models.rivals.chunker import ChunkerNet, StateChunkerNet
from models.rivals.elman import ElmanNet
from models.rivals.fully_recurrent import FullyRecurrentNet
from models.rivals.shortcut import PlainDeltaShortcutNet, ShortcutNet
from tasks import lag

MILLION = 1_000_000
RANGE = (1.0, 4.0, 10.0)  # FIDELITY R5
"""What is tried of "1.0-10.0"."""


def reber(
    row: str, method: str, net: FullyRecurrentNet | ElmanNet, rate: float, thousands: int
) -> Compared:
    """A row of Table 1, with the sets and the number of trials of the LSTM's rows."""
    learner = Stepwise()  # FIDELITY R2
    recipe = Recipe(REBER, net, learner, REBER_BOTH_SETS, thousands * THOUSAND, 250, test_size=256)
    name = f"reber-{net.hidden}"
    experiment = Experiment(name, 9, method, recipe, rate, 30, data_sets=3)  # FIDELITY R4
    return Compared(row, experiment, of_solved=method != "elman")


def cascade(row: str) -> Compared:
    """The row of recurrent cascade-correlation, in epochs of 256 presentations."""
    learner, epochs = Cascade(), 3560
    budget = epochs * learner.batch
    recipe = Recipe(REBER, CascadeNet(), learner, REBER_BOTH_SETS, budget, 10, test_size=256)
    experiment = Experiment("reber", 9, "rcc", recipe, 1.0, 30, data_sets=3)  # FIDELITY R4
    return Compared(row, experiment, of_solved=True)


def lag_2a(row: str, method: str, task: lag.Lag2a, rate: float, trials: int = 18) -> Compared:
    """A row of Table 2, or one rate of it: RTRL or full BPTT, which agree but for rounding."""
    learner = Online(forward=method == "rtrl")  # FIDELITY R2
    budget = (5 if task.p < 100 else 1) * MILLION  # FIDELITY R4
    recipe = Recipe(task, ShortcutNet(), learner, TEN_THOUSAND, budget, 2000, test_size=10_000)
    experiment = Experiment(f"lag-2a-{rate:g}", task.p, method, recipe, rate, trials)
    return Compared(row, experiment, of_solved=task.p == 4)


def variant(literal: Compared, name: str, net: ShortcutNet | ChunkerNet) -> Compared:
    """A row of experiment 2 with another net."""
    experiment = literal.experiment
    recipe = replace(experiment.recipe, model=net)
    experiment = replace(experiment, task=f"{experiment.task}-{name}", recipe=recipe)
    return literal._replace(experiment=experiment, variant=name)


def chunker(row: str, name: str, task: lag.Lag2a) -> Compared:
    """The chunker on 2a or 2b, with the rate of 2a and a budget as the LSTM's rows there have."""
    budget = 650 * THOUSAND  # FIDELITY R4
    recipe = Recipe(task, ChunkerNet(), Online(), TEN_THOUSAND, budget, 500, test_size=10_000)
    return Compared(row, Experiment(name, task.p, "chunker", recipe, 1.0, 18), of_solved=True)


PLAIN_DELTA = PlainDeltaShortcutNet()  # FIDELITY R11
CHUNKER_2A = chunker("2.7", "lag-2a", lag.HS97_2A_P100)
SMALL = (
    lag_2a("2.1", "rtrl", lag.HS97_2A_P4, 1.0),
    lag_2a("2.2", "rtrl", lag.HS97_2A_P4, 4.0),
    lag_2a("2.3", "rtrl", lag.HS97_2A_P4, 10.0),
)
COMPARED = (
    reber("1.1", "rtrl", FullyRecurrentNet(3), 0.05, 865),
    reber("1.2", "rtrl", FullyRecurrentNet(12), 0.1, 125),
    reber("1.3", "elman", ElmanNet(15), 0.1, 200),  # FIDELITY R6
    cascade("1.4"),
    *(
        each
        for literal in SMALL
        for each in (literal, variant(literal, "plain-delta", PLAIN_DELTA))
    ),
    *(lag_2a("2.4", "rtrl", lag.HS97_2A_P10, rate, 6) for rate in RANGE),
    *(lag_2a("2.5", "rtrl", lag.HS97_2A_P100, rate, 6) for rate in RANGE),
    *(lag_2a("2.6", "bptt", lag.HS97_2A_P100, rate, 6) for rate in RANGE),
    CHUNKER_2A,
    variant(CHUNKER_2A, "outputs", StateChunkerNet()),  # FIDELITY R12
    chunker("2.10", "lag-2b", lag.HS97_2B_P100),
)
"""Experiments beside the rows that they reproduce, in the order of the paper; some are variants."""

EXPERIMENTS = tuple(
    sorted(
        (each.experiment for each in COMPARED),
        key=lambda each: -each.recipe.budget * each.recipe.task.steps,
    )
)
"""The longest first, so that no core is left alone with one at the end."""
SUITE = PaperSuite("rivals", __doc__, EXPERIMENTS, compared=COMPARED)
