from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.learning.criteria import WholeSet
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.lanes import Run
from benchmarks.learning.learners import Guessing
from benchmarks.learning.program import INIT, SOLVED, numbered, setups
from benchmarks.learning.program_guessing import balanced
from benchmarks.learning.select import program
from models.guess_net import A1_1
from tasks.lag import Lag2a
from tasks.sequence import Verdict
from tasks.tomita import Tomita
from tests.support.drawing import QUICKLY_COMPILED, draw
from tests.support.guess_net import oracle
from tests.support.training import train

TASK, LIMIT, SIZE = Tomita(1, 6), 100.0, 10
RECIPE = Recipe(TASK, A1_1, Guessing(LIMIT, SIZE), WholeSet(SIZE), 8192, 256, test_size=50)


@pytest.fixture(autouse=True, scope="module")
def _in_haste():
    """To optimise would take longer than to train."""
    jit = jax.jit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            jax, "jit", lambda f, **k: jit(f, **k | {"compiler_options": QUICKLY_COMPILED})
        )
        yield


def rows(recipe, indices):
    """Rows of these trials, without the time that they took."""
    tried = Experiment("tiny", 6, "a1", recipe, 0.0, trials=20)
    runs = [Run(tried, i) for i in indices]
    found = [row for block in train(0, runs) for result in block for row in result.rows]
    return {row["trial"]: {k: v for k, v in row.items() if k != "seconds"} for row in found}


def test_the_first_guess_that_has_all_right_is_the_one_of_a_plain_loop():
    """Guesses of two blocks, each tried by the oracle on each sequence of its training set."""
    run, setup = program(RECIPE), setups(0, [1], [0.0])
    trial = run.start(setup)
    sets = run.source.training(setup.key, trial.seen, 256, None)
    inputs, lengths, targets = (
        np.asarray(leaf[0]) for leaf in (sets.inputs, sets.length, sets.targets)
    )
    assert targets.sum() == SIZE / 2
    like = jax.tree.map(lambda leaf: leaf[0], trial.params)
    keys = numbered(setup.key[0], INIT, jnp.zeros((), jnp.int32), 8192)
    guesses = jax.vmap(lambda key: jax.tree.leaves(run._draw(like, key))[0])(keys)
    assert LIMIT * 0.99 < np.abs(guesses).max() <= LIMIT

    def right(weights):
        return all(
            abs(oracle("A1(1)", weights, line[:n, 0])[-1] - target[n - 1, 0]) < TASK.tolerance
            for line, n, target in zip(inputs, lengths, targets, strict=True)
        )

    first = next(i for i, guess in enumerate(np.asarray(guesses, np.float64)) if right(guess))
    while trial.outcome[0] != SOLVED and trial.seen[0] <= first:
        trial = run.train(setup, trial, run.source.training(setup.key, trial.seen, 256, None))
    assert trial.outcome[0] == SOLVED
    assert trial.seen[0] == first + 1
    np.testing.assert_array_equal(jax.tree.leaves(trial.params)[0][0], guesses[first])


def test_a_row_depends_neither_on_its_company_nor_on_how_many_are_tried_at_once():
    together = rows(RECIPE, range(3))
    assert {row["outcome"] for row in together.values()} == {"solved"}
    assert rows(RECIPE, [2])[2] == together[2]
    other = rows(replace(RECIPE, inspect_every=1024), [2])[2]
    assert other["sequences"] == together[2]["sequences"]
    assert other["test_wrong"] == together[2]["test_wrong"]


def test_a_spent_budget_is_spent():
    hard = replace(RECIPE, task=Tomita(4), learner=Guessing(), criterion=WholeSet(), budget=256)
    (row,) = rows(hard, [0]).values()
    assert (row["outcome"], row["seen"], row["sequences"]) == ("spent", 256, None)


def test_a_training_set_has_as_many_of_both_classes_in_turn():
    chosen = balanced(draw(TASK, 100), 20)
    answers = np.asarray(chosen.targets).sum((1, 2))
    np.testing.assert_array_equal(answers, [1, 0] * 10)


def test_the_rule_is_a_whole_set():
    rule, state = WholeSet(4), WholeSet(4).init()
    for wrong, best, met in (
        ([0, 1, 0, 0], 1, False),
        ([1, 0, 0, 0], 1, False),
        ([0, 0, 0, 0], 4, True),
    ):
        state = rule.observe(state, Verdict(jnp.zeros(4), jnp.array(wrong, bool)))
        assert (int(state), bool(rule.met(state))) == (best, met)
    assert rule.level(jnp.int32(3), None).wrong == 0.25


def test_a_task_that_asks_at_every_step_is_refused():
    with pytest.raises(ValueError, match="ask at the end only"):
        program(replace(RECIPE, task=Lag2a(4)))
