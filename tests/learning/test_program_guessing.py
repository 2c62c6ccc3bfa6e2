from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax

from benchmarks.learning.criteria import WholeSet
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.lanes import Run
from benchmarks.learning.learners import Guessing
from benchmarks.learning.program import INIT, SOLVED, TRAIN, numbered, setups
from benchmarks.learning.program_guessing import balanced
from benchmarks.learning.select import program
from benchmarks.suites.guessed import guessed
from models.guess_net import A1_1
from tasks.lag import Lag2a
from tasks.reber import Reber
from tasks.sequence import Verdict
from tasks.temporal_order import TemporalOrder6a
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


def right_by_hand(params, inputs, targets):
    """Whether a vanilla net has every step of lag 2a right, in NumPy and float64."""
    cell, readout = params["cell"], params["readout"]
    W_xh, W_hh, b, kernel, bias = (
        np.asarray(leaf[...], np.float64)
        for leaf in (cell["W_xh"], cell["W_hh"], cell["b"], readout["kernel"], readout["bias"])
    )
    h, right = np.zeros(len(b)), []
    for x, target in zip(inputs, targets, strict=True):
        h = np.tanh(x @ W_xh + h @ W_hh + b)
        outputs = softmax(h @ kernel + bias)
        right.append(np.abs(outputs - target).max() < 0.25)
    return all(right)


def test_a_guess_is_judged_at_every_step_of_a_task_that_asks_there():
    recipe = replace(guessed("lag-2a", 2, Lag2a(2)).recipe, budget=1024 * 64)
    run, setup = program(recipe), setups(0, [1], [0.0])
    trial = run.start(setup)
    sequences = run.source.training(setup.key, trial.seen, 1024, None)
    while trial.outcome[0] != SOLVED and trial.seen[0] < recipe.budget:
        before, trial = trial.seen[0], run.train(setup, trial, sequences)
    assert trial.outcome[0] == SOLVED
    like = jax.tree.map(lambda leaf: leaf[0], trial.params)
    keys = numbered(setup.key[0], INIT, before, int(trial.seen[0] - before))
    drawn = [run._draw(like, key) for key in keys]
    assert [
        all(
            right_by_hand(params, *map(np.asarray, pair))
            for pair in zip(sequences.inputs[0], sequences.targets[0], strict=True)
        )
        for params in drawn[-30:]
    ] == [False] * (min(30, len(drawn)) - 1) + [True]


def test_a_finite_task_is_guessed_on_its_own_training_set():
    recipe = guessed("reber", 9, Reber()).recipe
    assert recipe.learner.sequences == recipe.criterion.sequences == Reber().n_train
    run, setup = program(recipe), setups(0, [1], [0.0])
    sets = run.source.sets(setup.key)
    chosen = run.source.training(setup.key, jnp.array([7]), 1024, sets)
    jax.tree.map(np.testing.assert_array_equal, chosen, sets[0])


def test_of_several_classes_sequences_come_as_they_are():
    task = TemporalOrder6a(20)
    run, setup = program(guessed("order-6a", 20, task).recipe), setups(0, [1], [0.0])
    chosen = run.source.training(setup.key, jnp.array([7]), 1024, None)
    fresh = run.source._fresh(setup.key, TRAIN, jnp.array([0]), 100)
    jax.tree.map(np.testing.assert_array_equal, chosen, fresh)
