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
