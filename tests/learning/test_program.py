from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from benchmarks.errors import UsageError
from benchmarks.learning.criteria import Inspection, Recent
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.lanes import Lanes, Run
from benchmarks.learning.learners import Adam
from benchmarks.learning.program import (
    DIVERGED,
    INIT,
    RUNNING,
    SOLVED,
    TEST,
    TRAIN,
    Program,
    encoded,
    setups,
    source,
)
from benchmarks.learning.select import program
from models.lstm import LSTM
from models.network import Recurrent
from models.rnn import RNN
from tasks.lag import Lag2a, Lag2b
from tasks.reber import Reber
from tasks.two_sequence import TwoSequence3a
from tests.support.tiny import EXPERIMENT, RECIPE, experiment
from tests.support.training import train

NEVER = Inspection(100, wrong_at_most=-1)


def rows(experiment, indices, seed=0):
    """Rows of these trials, without the time that they took."""
    runs = [Run(experiment, i) for i in indices]
    found = [row for block in train(seed, runs) for result in block for row in result.rows]
    return {row["trial"]: {k: v for k, v in row.items() if k != "seconds"} for row in found}


@pytest.mark.parametrize("cell", [RNN, LSTM], ids=lambda cell: cell.__name__)
def test_a_row_depends_on_nothing_but_experiment_seed_and_trial(cell):
    tried = experiment(model=Recurrent(cell, 4))
    all_of_them = rows(tried, range(7))
    assert set(all_of_them) == set(range(7))
    # Alone, in other company, in another lane, started later than others, in another order.
    for indices in ([3], [6, 3], [5, 1, 2, 0, 6, 4], [4, 4, 4, 4, 3]):
        for trial, row in rows(tried, indices).items():
            assert row == all_of_them[trial]
    assert len({row["test_error"] for row in all_of_them.values()}) == 7
    assert rows(tried, [3], seed=1)[3]["test_error"] != all_of_them[3]["test_error"]


def test_rates_share_a_program_and_do_not_mix():
    slow, fast = experiment(rate=0.001), experiment(rate=0.02)
    runs = [Run(slow, 0), Run(fast, 0), Run(fast, 1)]
    found = [row for block in train(0, runs) for result in block for row in result.rows]
    for row in found:
        alone = rows(slow if row["rate"] == 0.001 else fast, [row["trial"]])[row["trial"]]
        assert {**row, "seconds": 0} == {**alone, "seconds": 0}


def test_training_is_the_plain_loop():
    """Two updates by hand, for one trial, without scan, vmap or the program's own functions."""
    recipe, rate, index = RECIPE, 0.02, 2
    task, learner = recipe.task, recipe.learner
    key = jax.random.fold_in(jax.random.fold_in(jax.random.key(0), 0), index)
    network = recipe.model.build(1, 1, nnx.Rngs(jax.random.fold_in(key, INIT)))
    graph, params = nnx.split(network)
    optimizer = optax.chain(optax.clip_by_global_norm(learner.clip), optax.adam(rate))
    opt_state, sample = optimizer.init(params), jax.jit(task.sample)

    @jax.jit
    @jax.grad
    def slope(params, batch):
        total = 0.0
        for sequence in batch:
            net = nnx.merge(graph, params)(sequence.inputs, sequence.length)
            p = jax.nn.sigmoid(net[sequence.length - 1, 0])
            target = sequence.targets[sequence.length - 1, 0]
            total -= target * jnp.log(p) + (1 - target) * jnp.log(1 - p)
        return total / len(batch)

    for update in range(2):
        numbers = range(update * learner.batch, (update + 1) * learner.batch)
        stream = jax.random.fold_in(key, TRAIN)
        batch = [sample(jax.random.fold_in(stream, n)) for n in numbers]
        step, opt_state = optimizer.update(slope(params, batch), opt_state, params)
        params = optax.apply_updates(params, step)

    run, setup = program(recipe), setups(0, [index], [rate])
    draw = source(task).fresh(setup.key, TRAIN, jnp.zeros(1, jnp.int32), 2 * learner.batch)
    trials = run.train(setup, run.start(setup), draw)
    assert trials.seen[0] == 2 * learner.batch
    for mine, theirs in zip(jax.tree.leaves(params), jax.tree.leaves(trials.params), strict=True):
        np.testing.assert_allclose(mine, theirs[0], rtol=2e-4, atol=2e-6)


def test_a_trial_is_tested_on_its_own_test_sequences_in_their_order():
    tried = experiment(test_size=300)  # not a whole number of groups
    lanes = Lanes(0, [Run(tried, i) for i in range(4)])
    lanes.advance()
    run, done = lanes.run, [3, 1]
    found = lanes._test(done)
    assert found.wrong.shape == found.error.shape == (2, 300)
    draw = source(tried.recipe.task).fresh(lanes.setup.key, TEST, jnp.zeros(4, jnp.int32), 300)
    direct = run.verdicts(lanes.trials, draw)
    np.testing.assert_array_equal(found.wrong, direct.wrong[jnp.array(done)])
    np.testing.assert_allclose(found.error, direct.error[jnp.array(done)], rtol=1e-5)


def test_symbols_are_drawn_as_numbers_and_spelt_out_later():
    task, setup = Lag2a(4), setups(0, [0, 1], [0.1, 0.1])
    src, first = source(task), jnp.array([0, 3])
    for drawn, stream in (
        (src.training(setup.key, first, 5, None), TRAIN),
        (src.tests(setup.key, TEST, first, 5), TEST),
    ):
        assert drawn.inputs.shape == (2, 5, 4)
        found = jax.vmap(jax.vmap(lambda one: encoded(task, one)))(drawn)
        for one, other in zip(found, src.fresh(setup.key, stream, first, 5), strict=True):
            np.testing.assert_array_equal(one, other)


def test_verdicts_do_not_depend_on_how_many_are_made_at_a_time(monkeypatch):
    recipe = replace(RECIPE, task=Lag2b(4), model=Recurrent(RNN, 3))
    run, setup = Program(recipe), setups(0, [0, 1], [0.1, 0.1])
    trials, tests = run.start(setup), run.source.tests(setup.key, TEST, jnp.array([0, 0]), 11)
    at_once = run.verdicts(trials, tests)
    monkeypatch.setattr("benchmarks.learning.program.JUDGED_NUMBERS", 3 * 4 * 5)
    in_threes = Program(recipe).verdicts(trials, tests)
    assert in_threes.wrong.shape == (2, 11)
    np.testing.assert_array_equal(at_once.wrong, in_threes.wrong)
    np.testing.assert_allclose(at_once.error, in_threes.error, rtol=1e-6)


def test_another_block_does_not_recompile():
    recipe = replace(RECIPE, task=TwoSequence3a(T=11, N=2))  # no other test uses this one
    lanes = Lanes(0, [Run(experiment(task=recipe.task), i) for i in range(6)])
    for _ in range(3):
        lanes.block()
    run, fresh = program(recipe), source(recipe.task).fresh
    for function in (run.start, run.train, run.verdicts, run.inspect):
        assert function._cache_size() == 1
    assert fresh._cache_size() == 2  # a training block and a group of test sequences
    assert program(replace(recipe)) is run


@pytest.mark.parametrize(
    "task", [TwoSequence3a(T=11, N=2), Reber(n_train=50, n_test=50)], ids=["fresh", "finite"]
)
def test_the_time_of_trials_includes_no_compiling(task, caplog):
    changed = experiment(task=task, criterion=NEVER, inspect_every=2)
    programs = [
        "_train",
        "_verdicts",
        "_inspect",
        "_pick" if isinstance(task, Reber) else "<lambda>",
    ]
    with jax.log_compiles():
        lanes = Lanes(0, [Run(changed, i) for i in range(4)])
        assert all(f"XLA compilation of jit({name})" in caplog.text for name in programs)
        caplog.clear()
        lanes.advance()
        assert not any(f"XLA compilation of jit({name})" in caplog.text for name in programs)


def test_a_finished_trial_is_frozen_bit_for_bit_while_others_train():
    run, setup = program(RECIPE), setups(0, [0, 1], [0.02, 0.02])
    fresh = source(RECIPE.task).fresh

    def block(trials):
        draw = fresh(setup.key, TRAIN, trials.seen, 40)
        return run.train(setup, jax.tree.map(jnp.copy, trials), draw)

    trials = block(run.start(setup))
    for outcome in (SOLVED, DIVERGED):
        trials = trials._replace(outcome=jnp.array([outcome, RUNNING], jnp.int8))
        after = block(trials)
        for old, new in zip(jax.tree.leaves(trials), jax.tree.leaves(after), strict=True):
            assert (old[0] == new[0]).all()
        assert after.seen.tolist() == [40, 80]
        assert any(
            (old[1] != new[1]).any()
            for old, new in zip(
                jax.tree.leaves(trials.params), jax.tree.leaves(after.params), strict=True
            )
        )


def test_a_solved_trial_keeps_the_time_at_which_it_was_solved():
    row = rows(experiment(criterion=Recent(3, window=10), learner=Adam(batch=1)), [0, 1])[0]
    assert row["outcome"] == "solved"
    assert row["sequences"] == row["seen"] < 400
    assert row["sequences"] >= 10


def test_a_spent_trial_has_seen_its_whole_budget():
    row = rows(experiment(criterion=NEVER), [0])[0]
    assert (row["outcome"], row["seen"], row["sequences"]) == ("spent", 400, None)
    assert row["test_size"] == 300


def test_the_last_inspection_still_counts():
    always = Inspection(100, wrong_at_most=100)
    row = rows(experiment(criterion=always, budget=40), [0])[0]
    assert (row["outcome"], row["seen"]) == ("solved", 40)


@pytest.mark.parametrize("rate", [float("inf"), float("nan")])
def test_a_diverging_trial_gives_a_row_that_says_so(rate):
    diverging = experiment(rate=rate)
    runs = [Run(diverging, 0), Run(experiment(criterion=RECIPE.criterion), 1)]
    found = {
        row["trial"]: row for block in train(0, runs) for result in block for row in result.rows
    }
    assert found[0]["outcome"] == "diverged"
    assert (found[0]["seen"], found[0]["sequences"]) == (0, None)
    assert np.isfinite(found[0]["test_error"])  # of its last finite weights
    assert found[1] | {"seconds": 0} == rows(EXPERIMENT, [1])[1] | {"seconds": 0}


def test_the_milestone_is_recorded_and_changes_nothing():
    early = Recent(8, window=10)
    with_milestone = rows(experiment(criterion=NEVER, milestone=early), [0])[0]
    as_criterion = rows(experiment(criterion=early), [0])[0]
    assert with_milestone["milestone"] == as_criterion["sequences"]
    assert with_milestone["test_error"] == rows(experiment(criterion=NEVER), [0])[0]["test_error"]


def test_inspections_use_fresh_sequences():
    """No test sequence equals a training sequence or one of another inspection."""
    fresh, setup = source(RECIPE.task).fresh, setups(0, [0], [0.0])
    drawn = [
        np.asarray(fresh(setup.key, stream, jnp.array([first]), 40).inputs[0, :, :, 0])
        for stream, first in ((1, 0), (1, 40), (2, 40), (2, 80), (3, 0))
    ]
    together = np.concatenate(drawn)
    assert len(np.unique(together, axis=0)) == len(together)


SMALL_REBER = Recipe(
    Reber(n_train=8, n_test=8),
    Recurrent(RNN, 4),
    Adam(batch=2),
    Inspection(16, wrong_at_most=0),
    budget=40,
    inspect_every=20,
)


def test_a_finite_task_trains_on_its_training_set_and_is_tested_on_its_test_set():
    recipe = SMALL_REBER
    src, setup = source(recipe.task), setups(0, [0, 1, 2], [0.1] * 3, data_sets=2)
    train, _ = src.sets(setup.sets_key)
    same = [(train.inputs[0] == train.inputs[i]).all() for i in (1, 2)]
    assert same == [False, True]  # trials take the two sets in turn
    picked = src.picked(setup.key, TRAIN, jnp.zeros(3, jnp.int32), 64, train)
    strings = {np.asarray(s).tobytes() for s in train.inputs[1]}
    assert {np.asarray(s).tobytes() for s in picked.inputs[1]} == strings
    found = rows(Experiment("reber", 9, "rnn", recipe, 0.1, 2), [0, 1])
    assert all(row["test_size"] == 8 and row["seen"] == 40 for row in found.values())


def test_impossible_recipes():
    with pytest.raises(ValueError, match="multiple of 40"):
        experiment(budget=401)
    for odd in ({"budget": 0}, {"inspect_every": 0}, {"test_size": 0}, {"test_size": 1.5}):
        with pytest.raises(ValueError, match=f"{next(iter(odd))} must be a whole number from 1 on"):
            experiment(**odd)
    with pytest.raises(ValueError, match="batch must be a whole number from 1 on, not -5"):
        experiment(learner=Adam(batch=-5))
    with pytest.raises(ValueError, match="a batch of 5 is longer than the rule's window"):
        experiment(milestone=Recent(window=4))
    with pytest.raises(ValueError, match="inspect as many"):
        experiment(milestone=Inspection(7))
    with pytest.raises(ValueError, match="below 2"):
        experiment(budget=2**31 + 2**10 * 5)
    with pytest.raises(ValueError, match=r"all 512 sequences are inspected, not \{256\}"):
        experiment(task=Reber(), criterion=Inspection(256))
    with pytest.raises(ValueError, match="a batch of 5 is longer than the rule's window"):
        experiment(criterion=Recent(window=4))


class OneByOne(RNN):
    """A cell that does not take batches."""

    batched = False

    def __call__(self, carry, x):
        assert carry.ndim == x.ndim == 1
        return super().__call__(carry, x)


def test_a_cell_that_does_not_say_so_gets_no_batches():
    recipe = replace(RECIPE, model=Recurrent(OneByOne, 4))
    assert not recipe.model.batched
    usual = rows(experiment(model=Recurrent(RNN, 4)), [0])[0]
    row = rows(experiment(model=recipe.model), [0])[0]
    assert row["seen"] == usual["seen"]
    assert row["test_error"] == pytest.approx(usual["test_error"], rel=1e-3)


class Counting(nnx.RNNCellBase):
    """A cell with state of its own beside the carry."""

    def __init__(self, n_in, hidden, *, rngs):
        self.calls = nnx.Variable(jnp.zeros(()))
        self.w = nnx.Param(jnp.zeros((n_in, hidden)))


def test_a_cell_with_other_state_is_refused():
    with pytest.raises(UsageError, match="state other than"):
        Program(Recipe(RECIPE.task, Recurrent(Counting, 4), Adam(), RECIPE.criterion, 2000))


@pytest.mark.parametrize(("hidden", "batch", "lanes"), [(48, 20, 4), (49, 20, 1), (49, 1, 4)])
def test_only_large_networks_that_see_batches_train_alone(hidden, batch, lanes):
    model, learner = Recurrent(LSTM, hidden), Adam(batch=batch)  # 9,841 and 10,242 weights
    recipe = replace(RECIPE, model=model, learner=learner, budget=4000, inspect_every=100)
    own = Program(recipe)
    assert own.lanes(20) == lanes
    assert (own.weights >= 10_000) == (hidden == 49)
