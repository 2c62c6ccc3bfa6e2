"""Against scipy, which draws for every pair anew."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.analysis import bootstrap

BUDGET = 100_000.0


def sample(count, start):
    """Whole numbers of sequences, some of them at the budget."""
    values = (np.arange(count) * 7919 + start) % 97 * 1000.0
    return np.where(values > 60_000, BUDGET, values + 1000)


def by_scipy(statistic, *data):
    found = stats.bootstrap(data, statistic, n_resamples=9999, rng=0)
    return found.confidence_interval


def ratio(a, b, axis):
    return a.mean(axis) / b.mean(axis)


def test_intervals_of_ratios_are_those_of_scipy():
    sizes = [20, 20, 13, 20, 600, 500, 2]  # 600 are drawn in several parts
    samples = [sample(size, start) for start, size in enumerate(sizes)]
    pairs = [(0, 1), (0, 3), (1, 3), (0, 2), (2, 0), (4, 5), (6, 0)]
    found = bootstrap.ratio_intervals(samples, pairs)
    for (i, j), interval in zip(pairs, found, strict=True):
        expected = by_scipy(ratio, samples[i], samples[j])
        assert interval == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("size", [2, 20, 333])
def test_intervals_of_means_are_those_of_scipy(size):
    own = sample(size, 3)
    expected = by_scipy(np.mean, own)
    assert bootstrap.mean_interval(own) == pytest.approx(expected, rel=1e-12)


def test_no_pair_has_no_interval():
    assert bootstrap.ratio_intervals([sample(5, 0)], []) == []


@pytest.mark.parametrize("count", [2, 10, 50])
def test_sides_of_many_samples_are_those_of_intervals_by_scipy(count):
    rng = np.random.default_rng(count)
    samples = rng.integers(1, 40, (60, count)) * 1000.0
    samples[0], samples[1], samples[2] = 9000.0, 20_000.0, 33_000.0  # all trials are alike
    low, high = 18_000.0, 21_000.0
    expected = []
    for own in samples:
        start = end = own[0]
        if len(set(own)) > 1:
            found = stats.bootstrap([own], np.mean, n_resamples=bootstrap.REDRAWN, rng=0)
            start, end = found.confidence_interval
        expected.append(-1 if end < low else 1 if start > high else 0)
    assert set(expected) == {-1, 0, 1}
    assert bootstrap.beyond(samples, low, high).tolist() == expected


def test_all_trials_are_as_likely_to_be_drawn():
    drawn = bootstrap.redrawn(10, seed=3)
    assert drawn.shape == (bootstrap.REDRAWN, 10)
    assert np.bincount(drawn.ravel()) == pytest.approx(np.full(10, bootstrap.REDRAWN), rel=0.15)
    assert (drawn == bootstrap.redrawn(10, seed=3)).all()
    assert (drawn != bootstrap.redrawn(10, seed=4)).any()


def test_percentiles_leave_out_a_fortieth_on_either_side():
    assert bootstrap.percentiles(np.arange(999.0)[::-1]) == (24, 974)  # the 25th of each end
