"""The 31 LSTM rows of Hochreiter & Schmidhuber 1997, read literally, with the learner of 1997.

Nets, rates, initial weights and criteria are those of the paper's Tables 1 to 11; what it leaves
open is decided in docs/FIDELITY.md, once and for all rows. The budget of each row is at least
five times the mean that the paper reports.
"""

from dataclasses import fields

from benchmarks.analysis.paper_rows import Compared
from benchmarks.learning.criteria import Inspection, Recent
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.learners import Online
from benchmarks.suites.base import PaperSuite
from models.lstm97.lag_net import LagNet97
from models.lstm97.net import Net97
from tasks import adding, lag, multiplication, temporal_order, two_sequence
from tasks.reber import Reber

THOUSAND = 1000

FOUR_BLOCKS = Net97(4, 1, "gates", output_gate_bias=(-1.0, -2.0, -3.0, -4.0), init_range=0.2)
THREE_BLOCKS = Net97(3, 2, "gates", output_gate_bias=(-1.0, -2.0, -3.0), init_range=0.2)
LAG_NET = Net97(2, 1, init_range=0.2)
TWO_SEQUENCE_NET = Net97(
    3, 1, "hidden", input_gate_bias=(-1.0, -3.0, -5.0), output_gate_bias=(-2.0, -4.0, -6.0)
)
ADDING_NET = Net97(2, 2, "all", input_gate_bias=(-3.0, -6.0))
MULTIPLICATION_NET = Net97(2, 2, "all")
ORDER_6A_NET = Net97(2, 2, "all", input_gate_bias=(-2.0, -4.0))
ORDER_6B_NET = Net97(3, 2, "all", input_gate_bias=(-2.0, -4.0, -6.0))


def of_kind(kind: type[Net97], net: Net97) -> Net97:
    """The same net of another kind."""
    return kind(**{each.name: getattr(net, each.name) for each in fields(net)})


REBER = Reber()
REBER_BOTH_SETS = Inspection(REBER.n_train + REBER.n_test, wrong_at_most=0)
TEN_THOUSAND = Inspection(10_000, wrong_at_most=0)


def reber(row: str, net: Net97, rate: float) -> Compared:
    """A row of Table 1: three pairs of training and test set, ten initialisations each."""
    name = f"reber-{net.blocks}x{net.size}-{str(rate).replace('.', '')}"
    recipe = Recipe(REBER, net, Online(), REBER_BOTH_SETS, 200 * THOUSAND, 250, test_size=256)
    return Compared(row, Experiment(name, 9, "lstm97", recipe, rate, 30, data_sets=3))


def lag_2ab(row: str, name: str, task: lag.Lag2a) -> Compared:
    """The row of 2a or 2b: the net that grows."""
    recipe = Recipe(
        task,
        LagNet97(),
        Online(forward=False),  # with nothing but a sum that recurs, all steps at once are faster
        TEN_THOUSAND,
        100 * THOUSAND,
        500,
        test_size=10_000,
    )
    return Compared(row, Experiment(name, task.p, "lstm97", recipe, 1.0, 18))


def lag_2c(row: str, p: int, q: int, thousands: int) -> Compared:
    """A row of Table 3."""
    recipe = Recipe(
        lag.Lag2c(p, q),
        LAG_NET,
        Online(),
        TEN_THOUSAND,
        thousands * THOUSAND,
        1000,
        test_size=10_000,
    )
    return Compared(row, Experiment(f"lag-2c-p{p}", q, "lstm97", recipe, 0.01, 20))


def two_sequences(
    row: str,
    task: two_sequence.TwoSequence3a,
    rate: float,
    thousands: int,
    stop: Inspection,
    milestone: Inspection | None = None,
) -> Compared:
    """A row of Tables 4 to 6; `milestone` is ST1, `stop` ST2."""
    variant = type(task).__name__[-2:].lower()
    recipe = Recipe(
        task, TWO_SEQUENCE_NET, Online(), stop, thousands * THOUSAND, 1000, milestone
    )  # FIDELITY S8
    name = f"two-sequence-{variant}-n{task.N}"
    return Compared(
        row, Experiment(name, task.T, "lstm97", recipe, rate, 50 if task.T < 1000 else 10)
    )


def recent(
    row: str,
    name: str,
    task,
    net: Net97,
    rate: float,
    thousands: int,
    stop: Recent,
    trials: int,
    milestone: Recent | None = None,
) -> Compared:
    """A row of Tables 7 to 9: the rule on the most recent training sequences."""
    every = 1000 if task.T < 500 else 100  # the length of a block only
    recipe = Recipe(task, net, Online(), stop, thousands * THOUSAND, every, milestone)
    return Compared(row, Experiment(name, task.T, "lstm97", recipe, rate, trials))


ST1_3A, ST2_3A = Inspection(256, 0), Inspection(256, 0, error_below=0.01)
ST1_3B, ST2_3B = Inspection(256, 5), Inspection(256, 5, error_below=0.04)
STOP_3C = Inspection(256, 0, error_below=0.015)
STOP_4, STOP_6 = Recent(0, error_below=0.01), Recent(0, error_below=0.1)

COMPARED = (
    reber("1.5", FOUR_BLOCKS, 0.1),
    reber("1.6", THREE_BLOCKS, 0.1),
    reber("1.7", THREE_BLOCKS, 0.2),
    reber("1.8", FOUR_BLOCKS, 0.5),
    reber("1.9", THREE_BLOCKS, 0.5),
    lag_2ab("2.8", "lag-2a", lag.HS97_2A_P100),
    lag_2ab("2.9", "lag-2b", lag.HS97_2B_P100),
    lag_2c("3.1", 50, 50, 300),
    lag_2c("3.2", 100, 100, 310),
    lag_2c("3.3", 200, 200, 330),
    lag_2c("3.4", 500, 500, 190),
    lag_2c("3.5", 1000, 1000, 245),
    lag_2c("3.6", 500, 1000, 245),
    lag_2c("3.7", 200, 1000, 375),
    lag_2c("3.8", 100, 1000, 675),
    lag_2c("3.9", 50, 1000, 1015),
    two_sequences("4.1", two_sequence.HS97_3A_100_3, 1.0, 400, ST2_3A, ST1_3A),
    two_sequences("4.2", two_sequence.HS97_3A_100_1, 1.0, 650, ST2_3A, ST1_3A),
    two_sequences("4.3", two_sequence.HS97_3A_1000_3, 1.0, 2300, ST2_3A, ST1_3A),
    two_sequences("5.1", two_sequence.HS97_3B_100_3, 1.0, 440, ST2_3B, ST1_3B),
    two_sequences("5.2", two_sequence.HS97_3B_100_1, 1.0, 800, ST2_3B, ST1_3B),
    two_sequences("5.3", two_sequence.HS97_3B_1000_1, 1.0, 2450, ST2_3B, ST1_3B),
    two_sequences("6.1", two_sequence.HS97_3C_100_3, 0.1, 1350, STOP_3C),
    two_sequences("6.2", two_sequence.HS97_3C_100_1, 0.1, 2850, STOP_3C),
    recent("7.1", "adding", adding.HS97_100, ADDING_NET, 0.5, 2000, STOP_4, 50),
    recent("7.2", "adding", adding.HS97_500, ADDING_NET, 0.5, 1050, STOP_4, 10),
    recent("7.3", "adding", adding.HS97_1000, ADDING_NET, 0.5, 4300, STOP_4, 10),
    recent(
        "8.1",
        "multiplication-140",
        multiplication.HS97_100,
        MULTIPLICATION_NET,
        0.1,
        2450,
        Recent(139),
        10,
    ),
    recent(
        "8.2",
        "multiplication-13",
        multiplication.HS97_100,
        MULTIPLICATION_NET,
        0.1,
        6400,
        Recent(12),
        10,
        milestone=Recent(139),
    ),
    recent("9.1", "order-6a", temporal_order.HS97_6A, ORDER_6A_NET, 0.5, 320, STOP_6, 50),
    recent("9.2", "order-6b", temporal_order.HS97_6B, ORDER_6B_NET, 0.1, 2900, STOP_6, 50),
)
"""Experiments beside the rows that they reproduce, in the order of the paper."""

# FIDELITY S9
EXPERIMENTS = tuple(
    sorted(
        (each.experiment for each in COMPARED),
        key=lambda each: -each.recipe.budget * each.recipe.task.steps,
    )
)
"""The longest first, so that no core is left alone with one at the end."""
SUITE = PaperSuite("paper", __doc__, EXPERIMENTS, compared=COMPARED)
