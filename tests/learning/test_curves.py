import functools
from collections import deque
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from benchmarks.learning import curves
from benchmarks.learning.criteria import Inspection, Recent
from benchmarks.learning.lanes import Lanes, Run
from benchmarks.learning.learners import Adam, Online
from benchmarks.learning.program import INSPECT, TRAIN, TRIALS, setups
from benchmarks.learning.select import program
from models.lstm97.net import Net97
from tests.support.drawing import QUICKLY_COMPILED
from tests.support.tiny import EXPERIMENT, RECIPE, experiment
from tests.support.training import train

NEVER = Inspection(600, wrong_at_most=-1)  # of which 256 are judged whatever trains beside it
WINDOW = Recent(wrong_at_most=-1, window=60)


def trained(tried, indices):
    """Rows, without the time that they took, and points of these trials, by trial."""
    runs = [Run(tried, i) for i in indices]
    results = [each for block in train(0, runs) for each in block]
    rows = {row["trial"]: row | {"seconds": 0} for each in results for row in each.rows}
    points = [point for each in results for point in each.points]
    return rows, {i: [p for p in points if p["trial"] == i] for i in rows}


def key_of(trial, stream, number):
    """Key of a sequence of a trial of seed 0."""
    key = jax.random.fold_in(jax.random.key(0), TRIALS)
    for data in (trial, stream, number):
        key = jax.random.fold_in(key, data)
    return key


@functools.partial(jax.jit, static_argnums=(0, 1), compiler_options=QUICKLY_COMPILED)
def drawn(task, stream, numbers):
    """Sequences of trials 0 to 3, `[lane, n, ...]`."""

    def one(trial, number):
        return task.sample(key_of(trial, stream, number))

    return jax.vmap(jax.vmap(one, (None, 0)), (0, None))(jnp.arange(4), numbers)


def test_a_curve_is_what_the_weights_get_wrong_at_the_inspections():
    tried = experiment(criterion=NEVER, budget=120)
    _, points = trained(tried, range(4))
    run, setup = program(tried.recipe), setups(0, range(4), [tried.rate] * 4)
    trials = run.start(setup)
    for block in range(3):
        sequences = drawn(RECIPE.task, TRAIN, 40 * block + jnp.arange(40))
        trials = run.train(setup, trials, sequences)
        seen = 40 * (block + 1)
        first = 15 * seen  # an inspection of 600 takes the numbers of 15 blocks of 40
        verdicts = run.verdicts(trials, drawn(RECIPE.task, INSPECT, first + jnp.arange(256)))
        for i in range(4):
            assert points[i][block] == {
                "digest": tried.digest,
                "seed": 0,
                "trial": i,
                "sequences": seen,
                "wrong": round(int(verdicts.wrong[i].sum()) / 256, 3),
                "error": pytest.approx(np.mean(np.asarray(verdicts.error[i], float)), abs=6e-5),
            }


def test_a_curve_depends_on_nothing_but_experiment_seed_and_trial():
    tried = experiment(criterion=Inspection(600, wrong_at_most=60))
    _, together = trained(tried, range(7))
    assert trained(tried, [5])[1][5] == together[5]
    assert trained(tried, [6, 5, 1])[1][1] == together[1]


def test_a_row_is_the_same_whether_or_not_a_curve_is_kept(monkeypatch):
    with_curves, points = trained(EXPERIMENT, range(6))
    assert all(points.values())
    monkeypatch.setattr(Lanes, "_keep", lambda *_: None)
    without, points = trained(EXPERIMENT, range(6))
    assert not any(points.values())
    assert with_curves == without


def test_a_curve_ends_where_its_trial_does():
    rows, points = trained(EXPERIMENT, range(6))
    assert {row["outcome"] for row in rows.values()} > {"solved"}
    for trial, row in rows.items():
        assert points[trial][-1]["sequences"] == row["seen"]
        if row["outcome"] == "solved":
            assert points[trial][-1]["wrong"] <= 0.1


def test_a_diverged_trial_has_one_point_of_its_last_finite_weights():
    _, points = trained(experiment(rate=float("inf")), [0])
    assert [each["sequences"] for each in points[0]] == [0]
    assert np.isfinite(points[0][0]["error"])


OF_1997 = {
    "model": Net97(1, 2, "all", (-1.0,)),
    "learner": Online(),
    "inspect_every": 40,
}


@pytest.mark.parametrize("of_1997", [{}, OF_1997], ids=["bptt", "forward"])
def test_without_inspections_a_curve_is_that_of_the_window(of_1997):
    """The window once more: every training sequence judged before the weights change on it."""
    tried = experiment(criterion=WINDOW, budget=120, **of_1997)
    _, points = trained(tried, [0])
    run, batch = program(tried.recipe), tried.recipe.learner.batch
    setup = setups(0, [0] * run.lanes(1), [tried.rate] * run.lanes(1))
    trials, window = run.start(setup), deque(maxlen=60)
    for update in range(1, 120 // batch + 1):
        judged = run.verdicts(trials, run.source.tests(setup.key, TRAIN, trials.seen, batch))
        window.extend(zip(np.asarray(judged.error[0]), np.asarray(judged.wrong[0]), strict=True))
        sequences = run.source.training(setup.key, trials.seen, batch, None)
        trials = run.train(setup, trials, sequences)
        if update * batch % 40 == 0:
            point = points[0].pop(0)
            error, wrong = np.mean(window, axis=0)
            assert point["sequences"] == update * batch
            assert point["wrong"] == round(float(wrong), 3)
            assert point["error"] == pytest.approx(error, abs=6e-5)
    assert points[0] == []


def test_few_points_are_kept_first_and_last_among_them():
    assert curves.kept(1) == {1}
    assert curves.kept(5) == {1, 2, 3, 4, 5}
    for inspections in (30, 50, 43_000):
        kept = sorted(curves.kept(inspections))
        assert (kept[0], kept[-1]) == (1, inspections)
        assert len(kept) <= curves.POINTS
        assert max(b / a for a, b in pairwise(kept)) <= 2


def test_a_long_trial_keeps_few_points():
    tried = experiment(criterion=WINDOW, inspect_every=1, learner=Adam(batch=4))
    _, points = trained(tried, [0])
    assert [each["sequences"] // 4 for each in points[0]] == sorted(curves.kept(100))


def frame(**trials):
    """Points from {trial: {sequences: wrong}}."""
    return pd.DataFrame(
        [
            {"digest": "d", "seed": 0, "trial": trial, "sequences": n, "wrong": wrong, "error": 0.0}
            for trial, curve in trials.items()
            for n, wrong in curve.items()
        ]
    )


def test_quartiles_over_trials_by_hand():
    curve = curves.quartiles(
        frame(
            a={10: 0.8, 20: 0.4, 40: 0.2},
            b={10: 0.6, 15: 0.0},  # solved: keeps its last value
            c={10: 0.7, 20: 0.7, 40: 0.6},
            d={10: 0.9, 20: 0.8, 40: 0.1},
            e={12: 1.0, 20: 0.9, 40: 0.9},  # the quartiles begin with it
        ),
        budget=50,
    )
    at = {
        12: [0.6, 0.7, 0.8, 0.9, 1.0],
        15: [0.0, 0.7, 0.8, 0.9, 1.0],
        20: [0.0, 0.4, 0.7, 0.8, 0.9],
        40: [0.0, 0.1, 0.2, 0.6, 0.9],
        50: [0.0, 0.1, 0.2, 0.6, 0.9],
    }
    assert curve.sequences.tolist() == list(at)
    # Of five sorted numbers the quartiles are the second, the third and the fourth.
    for name, which in (("low", 1), ("median", 2), ("high", 3)):
        assert getattr(curve, name).tolist() == [values[which] for values in at.values()]


def test_where_a_median_falls_below_a_level():
    curve = curves.quartiles(frame(a={10: 0.5, 20: 0.3, 30: 0.4}), budget=30)
    assert curves.first_below(curve.sequences, curve.median, 0.5) == 20
    assert curves.first_below(curve.sequences, curve.median, 0.3) == float("inf")
