from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.learning.criteria import Inspection
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.lanes import Run
from benchmarks.learning.learners import Online, PlainDelta, Stepwise
from benchmarks.learning.program import setups
from benchmarks.learning.select import program
from models.rivals.elman import ElmanNet
from models.rivals.fully_recurrent import FullyRecurrentNet
from models.rivals.shortcut import ShortcutNet
from tasks.lag import Lag2a
from tasks.latch import LatchII
from tasks.reber import Reber
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
    """Same weights after a block, and same verdicts, up to rounding."""
    task, net, rate = NETS[case]
    recipe = Recipe(task, net, Online(), Inspection(32, 0), 40, 40, test_size=32)
    plain = replace(recipe, learner=Online(forward=False))
    fast, slow, setup = program(recipe), program(plain), setups(0, range(16), [rate] * 16)
    start = fast.start(setup)
    sets = fast.source.sets(setup.sets_key) if fast.source.finite else None
    sequences = fast.source.training(setup.key, start.seen, 40, sets)
    mine, theirs = (
        each.train(setup, jax.tree.map(jnp.copy, start), sequences) for each in (fast, slow)
    )
    assert mine.seen.tolist() == theirs.seen.tolist() == [40] * 16
    moved = 0.0
    for a, b, before in zip(*map(jax.tree.leaves, (mine, theirs, start)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-5)
        if a.ndim > 1:
            moved = max(moved, np.abs(a - before).max())
    assert moved > 100 * 2e-5


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
