import jax
import pytest

from benchmarks.learning.criteria import Inspection
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.lanes import Run
from benchmarks.learning.learners import Online, PlainDelta, Stepwise
from benchmarks.learning.select import program
from models.rivals.elman import ElmanNet
from models.rivals.fully_recurrent import FullyRecurrentNet
from models.rivals.shortcut import ShortcutNet
from tasks.lag import Lag2a
from tasks.latch import LatchII
from tasks.reber import Reber
from tests.support.both_ways import trained_both_ways
from tests.support.drawing import QUICKLY_COMPILED
from tests.support.training import train

REBER = Reber(n_train=16, n_test=16)
NETS = {
    "rtrl": (Lag2a(5), FullyRecurrentNet(3, 0.5), 0.5),
    "elman": (REBER, ElmanNet(5, 0.5), 0.1),
    "rtrl of 2a": (Lag2a(5), ShortcutNet(init_range=0.5), 0.5),
}


@pytest.fixture(autouse=True, scope="module")
def _in_haste():
    """To optimise would take longer than to train."""
    jit = jax.jit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            jax, "jit", lambda f, **k: jit(f, **k | {"compiler_options": QUICKLY_COMPILED})
        )
        yield


@pytest.mark.parametrize("case", NETS)
def test_training_is_that_of_automatic_differentiation(case):
    """Same weights after a block, up to rounding."""
    task, net, rate = NETS[case]
    trained_both_ways(task, net, Online(), rate)


def rows(recipe, rate, indices):
    """Rows of these trials, without the time that they took."""
    tried = Experiment("tiny", 4, "rtrl", recipe, rate, trials=20)
    runs = [Run(tried, i) for i in indices]
    found = [row for block in train(0, runs) for result in block for row in result.rows]
    return {row["trial"]: {k: v for k, v in row.items() if k != "seconds"} for row in found}


def test_a_short_lag_is_learnt_and_a_row_does_not_depend_on_its_company():
    recipe = Recipe(
        Lag2a(2), ShortcutNet(), Online(), Inspection(256, 0), 40_000, 2000, test_size=256
    )
    together = rows(recipe, 10.0, range(6))
    assert sum(row["outcome"] == "solved" for row in together.values()) >= 2
    assert rows(recipe, 10.0, [3])[3] == together[3]


@pytest.mark.parametrize(("learner", "task"), [(PlainDelta(), REBER), (Stepwise(), LatchII(5))])
def test_what_it_cannot_do_is_refused(learner, task):
    with pytest.raises(ValueError, match="logistic outputs and a target at every step"):
        program(Recipe(task, ElmanNet(5), learner, Inspection(32, 0), 100))
