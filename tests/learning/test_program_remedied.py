"""Gradients with remedies against backpropagation by hand, in NumPy and double precision."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from benchmarks.errors import UsageError
from benchmarks.learning.descents import NormClip
from benchmarks.learning.experiment import Settings
from benchmarks.learning.lanes import Run
from benchmarks.learning.learners import Adam
from benchmarks.learning.penalties import NormStabiliser, Omega
from benchmarks.learning.program import TEST, TRAIN, setups, source
from benchmarks.learning.remedies import Remedied
from benchmarks.learning.select import program
from models.latch_unit import LatchNet
from models.lstm import LSTM
from models.network import Recurrent
from models.relu_rnn import IRNN
from models.rnn import RNN
from tasks.adding import Adding
from tests.support.tiny import RECIPE, experiment
from tests.support.training import train

H, BATCH = 4, 4
TASK = Adding(20)


def recipe(learner, cell=RNN, task=TASK):
    model = Recurrent(cell, H)
    return replace(RECIPE, task=task, model=model, learner=learner, inspect_every=10)


def double(tree):
    return jax.tree.map(
        lambda a: np.asarray(a, np.float64) if jnp.issubdtype(a.dtype, jnp.floating) else a, tree
    )


def started(found):
    """Setup, trial and a batch of a program, weights and sequences in double precision."""
    setup = setups(0, [3], [0.1], settings=[Settings()])
    trial = jax.tree.map(lambda a: a[0], found.start(setup))
    drawn = source(found.recipe.task).fresh(setup.key, TRAIN, jnp.zeros(1, jnp.int32), BATCH)
    setup, batch = jax.tree.map(lambda a: a[0], (setup, drawn))
    return setup, trial._replace(params=double(trial.params)), double(batch)


def ours(learner, cell=RNN):
    """The gradient that the program takes, by name, and what it was taken of."""
    found = program(recipe(learner, cell))
    setup, trial, batch = started(found)
    with jax.enable_x64(True):
        trial, batch = jax.tree.map(jnp.asarray, (trial, batch))
        (loss, _), gradient = jax.jit(found._gradient)(setup, trial, batch)
    pure = nnx.to_pure_dict
    weights, gradient = (jax.tree.map(np.asarray, pure(w)) for w in (trial.params, gradient))
    return float(loss), flat(gradient), flat(weights), batch, setup


def flat(weights):
    return {**weights["cell"], **weights["readout"]}


def by_hand(w, batch, units="tanh", window=None, omega=0.0, stabiliser=0.0, seen=None):
    """Loss and gradient of mean squared error; kernels are [from, to], as in the cell."""
    G = {name: np.zeros_like(value) for name, value in w.items()}
    loss, kept = 0.0, []
    for b, (xs, targets, length) in enumerate(
        zip(*(np.asarray(a) for a in (batch.inputs, batch.targets, batch.length)), strict=True)
    ):
        hs = [np.zeros(H)]
        for x in xs[:length]:
            a = x @ w["W_xh"] + hs[-1] @ w["W_hh"] + w["b"]
            hs.append(np.tanh(a) if units == "tanh" else np.maximum(a, 0))
        norms = np.linalg.norm(hs, axis=1)
        changes = np.diff(norms)
        loss += stabiliser * np.sum(changes[1:] ** 2) / (length - 1) / BATCH
        mask = np.ones(H) if seen is None else seen[b]
        error = mask * hs[-1] @ w["kernel"] + w["bias"] - targets[length - 1]
        loss += np.sum(error**2) / BATCH
        d = 2 * error / BATCH
        G["kernel"] += np.outer(mask * hs[-1], d)
        G["bias"] += d
        e = mask * (w["kernel"] @ d)
        for t in range(length, 0, -1):
            if t > 1:  # the change from h_{t-1} to h_t
                e = e + stabiliser * 2 * changes[t - 1] * hs[t] / norms[t] / (length - 1) / BATCH
            if 1 <= t < length:
                e = e - stabiliser * 2 * changes[t] * hs[t] / norms[t] / (length - 1) / BATCH
            slope = 1 - hs[t] ** 2 if units == "tanh" else (hs[t] > 0) * 1.0
            da = e * slope
            G["W_xh"] += np.outer(xs[t - 1], da)
            G["W_hh"] += np.outer(hs[t - 1], da)
            G["b"] += da
            jacobian = np.diag(slope) @ w["W_hh"].T  # of h_t by h_{t-1}
            size = np.linalg.norm(e)
            if size >= 1e-10:
                back = jacobian.T @ e / size
                ratio = np.linalg.norm(back)
                pull = 2 * (ratio - 1) / ratio if ratio else 0.0  # no unit is active
                kept.append(pull * np.outer(back, e / size * slope))
            e = jacobian.T @ e
            if window and (t - 1) % window == 0:
                e = 0 * e
    if omega:
        G["W_hh"] += omega * np.sum(kept, 0) / len(kept)
    return loss, G


def check(found, expected):
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        np.testing.assert_allclose(found[name], gradient, rtol=1e-9, atol=1e-12, err_msg=name)


CASES = {
    "window 3": (Remedied(batch=BATCH, window=3), {"window": 3}),
    "window 1": (Remedied(batch=BATCH, window=1), {"window": 1}),
    "window of all": (Remedied(batch=BATCH, window=22), {}),
    "omega": (Remedied(batch=BATCH, penalty=Omega(0.7)), {"omega": 0.7}),
    "omega 0": (Remedied(batch=BATCH, penalty=Omega(0.0)), {}),
    "stabiliser": (Remedied(batch=BATCH, penalty=NormStabiliser(0.3)), {"stabiliser": 0.3}),
    "omega in windows": (
        Remedied(batch=BATCH, penalty=Omega(2.0), window=4),
        {"omega": 2.0, "window": 4},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_by_hand(name):
    learner, settings = CASES[name]
    loss, gradient, weights, batch, _ = ours(learner)
    assert len(set(np.asarray(batch.length))) > 1
    expected_loss, expected = by_hand(weights, batch, **settings)
    assert loss == pytest.approx(expected_loss, rel=1e-9)
    check(gradient, expected)


def test_omega_of_rectified_units():
    _, gradient, weights, batch, _ = ours(Remedied(batch=BATCH, penalty=Omega(1.5)), IRNN)
    check(gradient, by_hand(weights, batch, units="relu", omega=1.5)[1])


def test_omega_is_differentiated_with_states_and_errors_held_fixed():
    """By finite differences of the penalty on explicit Jacobians, in the recurrent matrix alone."""
    rng = np.random.default_rng(0)
    states, errors = np.tanh(rng.standard_normal((2, 5, H))), rng.standard_normal((2, 5, H))
    errors[1, 4] = 1e-12  # no error reaches this step
    alive = np.array([[True] * 5, [True] * 3 + [False] + [True]])
    W = rng.standard_normal((H, H))

    def value(W):
        terms = []
        for b, t in zip(*np.nonzero(alive), strict=True):
            jacobian = np.diag(1 - states[b, t] ** 2) @ W.T
            size = np.linalg.norm(errors[b, t])
            if size >= 1e-10:
                terms.append((np.linalg.norm(errors[b, t] @ jacobian) / size - 1) ** 2)
        return np.mean(terms)

    with jax.enable_x64(True):
        graph, weights = nnx.split(RNN(2, H, rngs=nnx.Rngs(0)))

        def penalty(W):
            cell = nnx.merge(graph, weights)
            cell.W_hh = nnx.Param(W)
            first = (np.swapaxes(each, 0, 1) for each in (states, errors, alive))
            return Omega().of_errors(cell, *first)

        found, slope = jax.value_and_grad(penalty)(jnp.asarray(W))
    assert found == pytest.approx(value(W), rel=1e-12)
    direction = rng.standard_normal((H, H))
    up, down = (value(W + step * direction) for step in (1e-6, -1e-6))
    assert np.sum(np.asarray(slope) * direction) == pytest.approx((up - down) / 2e-6, rel=1e-6)


def test_omega_of_no_error_and_of_saturated_units_is_finite():
    flat = jnp.ones((1, 3, H))
    cell, alive = RNN(2, H, rngs=nnx.Rngs(0)), jnp.ones((1, 3), bool)
    graph, weights = nnx.split(cell)
    for states, errors in ((flat * 0.5, flat * 0), (flat, flat)):
        found = jax.grad(
            lambda w, s=states, e=errors: Omega().of_errors(nnx.merge(graph, w), s, e, alive)
        )(weights)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))


def test_dropout_hides_units_from_the_readout_alone():
    learner = Remedied(batch=BATCH, dropout=0.25)
    _, gradient, weights, batch, setup = ours(learner)
    key = jax.random.fold_in(jax.random.fold_in(setup.key, TEST + 1), 0)
    with jax.enable_x64(True):
        seen = np.asarray(jax.random.bernoulli(key, 0.75, (BATCH, 1, H)))[:, 0]
    assert 0 < seen.sum() < seen.size
    check(gradient, by_hand(weights, batch, seen=seen / 0.75)[1])


class OneByOne(RNN):
    """A cell that does not take batches."""

    batched = False


@pytest.mark.parametrize("penalty", [Omega(0.5), NormStabiliser(0.5)], ids=str)
def test_a_cell_that_takes_no_batches_has_the_same_gradient(penalty):
    learner = Remedied(batch=BATCH, penalty=penalty, window=4)
    check(ours(learner, OneByOne)[1], ours(learner)[1])


def rows(*experiments):
    runs = [Run(each, i) for each in experiments for i in range(2)]
    return [row for block in train(0, runs) for result in block for row in result.rows]


def results(found, experiment):
    mine = [row for row in found if row["digest"] == experiment.digest]
    return sorted((row["trial"], row["seen"], row["test_error"]) for row in mine)


def test_without_a_remedy_it_is_the_learner_that_there_was():
    adam = experiment(learner=Adam(batch=5, clip=0.5))
    same = experiment(learner=Remedied(batch=5, guard=NormClip(0.5)))
    assert results(rows(adam), adam) == results(rows(same), same)


def test_thresholds_and_strengths_are_numbers_of_a_trial():
    """Experiments that differ in them alone do as if they were their learners'."""
    learner = Remedied(batch=5, guard=NormClip(), penalty=Omega())
    drawn = [Settings(clip=0.3, strength=0.5), Settings(clip=9.0, strength=4.0)]
    asked = [replace(experiment(learner=learner), settings=each) for each in drawn]
    found = rows(*asked)
    for each, settings in zip(asked, drawn, strict=True):
        made = Remedied(batch=5, guard=NormClip(settings.clip), penalty=Omega(settings.strength))
        alone = experiment(learner=made)
        assert results(found, each) == results(rows(alone), alone)
    assert results(found, asked[0]) != results(found, asked[1])


@pytest.mark.parametrize(
    ("learner", "model", "message"),
    [
        (Remedied(window=23), Recurrent(RNN, H), "23 steps is longer than the sequences of Adding"),
        (Remedied(penalty=Omega()), Recurrent(LSTM, H), "Omega has no meaning for LSTM"),
        (Remedied(penalty=Omega()), LatchNet(), "Omega has no meaning for LatchUnit"),
    ],
)
def test_remedies_without_meaning(learner, model, message):
    with pytest.raises(UsageError, match=message):
        replace(RECIPE, task=TASK, model=model, learner=replace(learner, batch=5))
