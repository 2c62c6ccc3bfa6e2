from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from benchmarks.learning import quickprop
from benchmarks.learning.criteria import Inspection
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.lanes import Run
from benchmarks.learning.learners import Cascade
from benchmarks.learning.program import DIVERGED, RUNNING, setups
from benchmarks.learning.program_cascade import correlation
from benchmarks.learning.quickprop import QuickpropState
from benchmarks.learning.select import program
from models.rivals import cascade
from models.rivals.cascade import CascadeNet
from tasks.latch import LatchII
from tasks.reber import Reber
from tests.support.drawing import QUICKLY_COMPILED
from tests.support.training import train

SIZE = 16
TASK = Reber(n_train=SIZE, n_test=SIZE)
LEARNER = Cascade(SIZE, candidates=4, patience=3, longest=12)
RECIPE = Recipe(TASK, CascadeNet(4), LEARNER, Inspection(2 * SIZE), 60 * SIZE, 10, test_size=SIZE)


@pytest.fixture(autouse=True, scope="module")
def _in_haste():
    """To optimise would take longer than to train."""
    jit = jax.jit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            jax, "jit", lambda f, **k: jit(f, **k | {"compiler_options": QUICKLY_COMPILED})
        )
        yield


def quickprop_step(slope, before, step, epsilon, mu):
    """One weight, by the cases of Fahlman's description."""
    if step == 0:
        return -epsilon * slope
    plain = -epsilon * slope if slope * step < 0 else 0.0
    shrink = mu / (1 + mu)
    at_least_as_steep = slope >= shrink * before if step < 0 else slope <= shrink * before
    if at_least_as_steep or before == slope:
        return plain + mu * step * (1 if at_least_as_steep else np.sign(step * slope))
    return plain + step * np.clip(slope / (before - slope), -mu, mu)


def test_quickprop_case_by_case():
    draw = np.random.default_rng(0)
    slope, before, step = draw.normal(size=(3, 500))
    step[:50], before[50:60] = 0, slope[50:60]
    expected = [quickprop_step(*each, 0.3, 1.75) for each in zip(slope, before, step, strict=True)]
    with jax.enable_x64(True):
        state = QuickpropState(jnp.asarray(before), jnp.asarray(step))
        found = quickprop.update(jnp.asarray(slope), state, 0.3, 1.75)
        np.testing.assert_allclose(found.step, expected, rtol=1e-9)
        np.testing.assert_array_equal(found.slope, slope)


def test_quickprop_finds_the_minimum_of_a_parabola_in_a_jump():
    w, state = jnp.array([5.0, -3.0]), quickprop.init(jnp.zeros(2))
    for _ in range(3):
        state = quickprop.update(2 * (w - 1), state, 0.3, 1.75)
        w = w + state.step
    np.testing.assert_allclose(w, 1, atol=0.05)


def test_correlation_is_the_covariance_over_scored_steps():
    draw = np.random.default_rng(0)
    n, T, D, P, K = 3, 5, 4, 2, 3
    weights, z = draw.normal(size=(P, D + 1)), draw.normal(size=(n, T, D))
    residual, scored = draw.normal(size=(n, T, K)), draw.uniform(size=(n, T)) < 0.7
    found, v = correlation(*map(jnp.asarray, (weights, z, residual, scored)))
    e = residual[scored]
    for p in range(P):
        u = np.asarray(v)[..., p][scored]
        covariances = [np.mean((u - u.mean()) * (e[:, k] - e[:, k].mean())) for k in range(K)]
        expected = np.abs(covariances).sum() / np.mean(np.sum(e**2, -1))
        np.testing.assert_allclose(found[p], expected, rtol=1e-5)


@pytest.fixture(scope="module")
def history():
    """Trials after each ten epochs, and their training sets."""
    run, setup = program(RECIPE), setups(0, range(2), [1.0] * 2)
    trial, sets = run.start(setup), run.source.sets(setup.sets_key)
    found = [jax.tree.map(jnp.copy, trial)]
    for _ in range(6):
        trial = run.train(setup, trial, run.source.training(setup.key, trial.seen, 10, sets))
        found.append(jax.tree.map(jnp.copy, trial))
    return found, sets[0]


def test_units_are_added_one_by_one_and_stay_as_they_are(history):
    trials, _ = history
    counts = [np.asarray(each.opt_state.units) for each in trials]
    assert (counts[0] == 0).all()
    assert (counts[-1] >= 2).all()
    assert (np.diff(counts, axis=0) >= 0).all()
    assert trials[-1].seen.tolist() == [60 * SIZE] * 2
    for early, late, count in zip(trials, trials[1:], counts, strict=False):
        for lane in range(2):
            old, new = (np.asarray(t.params["hidden"][...])[lane] for t in (early, late))
            np.testing.assert_array_equal(old[: count[lane]], new[: count[lane]])
            assert not old[count[lane] :].any()


def test_activations_that_are_kept_are_those_of_the_net(history):
    trials, training = history
    for lane in range(2):
        params = jax.tree.map(lambda leaf, i=lane: leaf[i], trials[-1].params)
        kept = trials[-1].opt_state.activations[lane]
        inputs = training.inputs[lane]
        graph = nnx.graphdef(CascadeNet(4).build(7, 7, nnx.Rngs(0)))
        nets = jax.vmap(nnx.merge(graph, params), (0, None))(inputs, 49)
        expected = cascade.below(inputs, kept) @ params["output"][...]
        np.testing.assert_allclose(nets, expected, rtol=1e-4, atol=1e-4)


def test_the_error_falls(history):
    trials, training = history

    def error(trial, lane):
        z = cascade.below(training.inputs[lane], trial.opt_state.activations[lane])
        y = 1 / (1 + np.exp(-np.asarray(z @ trial.params["output"][...][lane])))
        off = np.sum((y - np.asarray(training.targets[lane])) ** 2, -1)
        return np.mean(off[np.asarray(training.scored[lane])])

    for lane in range(2):
        errors = [error(trial, lane) for trial in trials]
        assert errors[-1] < errors[1] < errors[0]


def test_a_net_whose_weights_overflow_has_diverged_and_keeps_those_before():
    run, setup = program(RECIPE), setups(0, range(2), [1.0, np.inf])
    trial = run.start(setup)
    sets = run.source.sets(setup.sets_key)
    after = run.train(setup, trial, run.source.training(setup.key, trial.seen, 10, sets))
    assert after.outcome.tolist() == [RUNNING, DIVERGED]
    assert after.seen[0] == 10 * SIZE
    assert after.seen[1] < 10 * SIZE
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(after.params))


def test_a_row_does_not_depend_on_its_company():
    tried = Experiment("tiny", 9, "rcc", RECIPE, 1.0, trials=20)

    def rows(indices):
        runs = [Run(tried, i) for i in indices]
        found = [row for block in train(0, runs) for result in block for row in result.rows]
        return {row["trial"]: {k: v for k, v in row.items() if k != "seconds"} for row in found}

    assert rows([1])[1] == rows([0, 1])[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": LatchII(5)}, "fixed sets"),
        ({"learner": replace(LEARNER, batch=8)}, "an epoch has"),
    ],
)
def test_what_it_cannot_do_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        program(replace(RECIPE, **{"budget": 160, **changes}))
