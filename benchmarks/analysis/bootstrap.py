"""Bootstrap intervals of means and of ratios of means: bias-corrected, accelerated, at 95 %.

They are those of `scipy.stats.bootstrap(..., rng=0)`, from the same samples, for many pairs at
once: which trials are drawn depends on their numbers alone, so that they are drawn once for all
pairs with as many; the sum of a sample is a product of counts and values, and the leave-one-out
means that the acceleration needs come from the sum of all.

So it draws by numpy, as scipy does; trials draw by jax keys alone, and none depends on this.

B. Efron & R. Tibshirani, An Introduction to the Bootstrap (1993), 14.3 and eq. 15.36.
"""

from collections.abc import Sequence

import numpy as np
import scipy
from numpy.random import Generator, default_rng

RESAMPLES = 9999
ALPHA = (1 - 0.95) / 2
AT_ONCE = 2**22  # draws in memory

Interval = tuple[float, float]


def mean_interval(sample: np.ndarray) -> Interval:
    """The interval of the mean of `[trial]`, of two trials or more."""
    rng = default_rng(0)
    return _bca(_means(rng, sample[:, None])[:, 0], sample.mean(), [_without_one(sample)])


def ratio_intervals(
    samples: Sequence[np.ndarray], pairs: Sequence[tuple[int, int]]
) -> list[Interval]:
    """Intervals of the ratios of the means of samples.

    Args:
        samples: `[trial]` each, of two trials or more.
        pairs: numbers of the samples above and below the fraction bar.
    """
    found: dict[tuple[int, int], Interval] = {}
    sizes = [(len(samples[i]), len(samples[j])) for i, j in pairs]
    for size in dict.fromkeys(sizes):
        alike = [pair for pair, own in zip(pairs, sizes, strict=True) if own == size]
        rng = default_rng(0)
        above = _means_of(rng, samples, [i for i, _ in alike])
        below = _means_of(rng, samples, [j for _, j in alike])
        for i, j in alike:
            a, b = samples[i], samples[j]
            jackknife = [_without_one(a) / b.mean(), a.mean() / _without_one(b)]
            found[i, j] = _bca(above[i] / below[j], a.mean() / b.mean(), jackknife)
    return [found[pair] for pair in pairs]


def _means_of(
    rng: Generator,
    samples: Sequence[np.ndarray],
    numbers: Sequence[int],
) -> dict[int, np.ndarray]:
    """Means `[resample]` of some of the samples, which are of one size, by their numbers."""
    chosen = list(dict.fromkeys(numbers))
    means = _means(rng, np.stack([samples[i] for i in chosen], axis=1))
    return dict(zip(chosen, means.T, strict=True))


def _means(
    rng: Generator,
    values: np.ndarray,
) -> np.ndarray:
    """Means `[resample, column]` of `[trial, column]`; the same trials for every column."""
    count, means = len(values), []
    rows = max(1, AT_ONCE // count)
    for start in range(0, RESAMPLES, rows):
        drawn = rng.integers(0, count, (min(rows, RESAMPLES - start), count))
        place = drawn + np.arange(len(drawn))[:, None] * count
        times = np.bincount(place.ravel(), minlength=place.size).reshape(place.shape)
        means.append(times @ values / count)
    return np.concatenate(means)


def _without_one(sample: np.ndarray) -> np.ndarray:
    """Means of the sample without each of its trials in turn."""
    return (sample.sum() - sample) / (len(sample) - 1)


def _bca(resampled: np.ndarray, value: float, jackknife: Sequence[np.ndarray]) -> Interval:
    """The interval of a value.

    Args:
        resampled: `[resample]`, the value in each of the bootstrap samples.
        value: in the sample itself.
        jackknife: of each sample, the values without one of its trials.
    """
    share = ((resampled < value).sum() + (resampled <= value).sum()) / (2 * len(resampled))
    bias = scipy.special.ndtri(share)
    apart = [(len(each) - 1) * (each.mean() - each) for each in jackknife]
    skew = sum((each**3).sum() / len(each) ** 3 for each in apart)
    spread = sum((each**2).sum() / len(each) ** 2 for each in apart)
    acceleration = 1 / 6 * skew / spread**1.5
    shifted = bias + np.array([scipy.special.ndtri(ALPHA), -scipy.special.ndtri(ALPHA)])
    low, high = scipy.stats.quantile(
        resampled, scipy.special.ndtr(bias + shifted / (1 - acceleration * shifted))
    )
    return float(low), float(high)
