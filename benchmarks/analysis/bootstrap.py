"""Bootstrap intervals of means and of ratios of means: bias-corrected, accelerated, at 95 %.

They are those of `scipy.stats.bootstrap(..., rng=0)`, from the same samples, for many pairs at
once: which trials are drawn depends on their numbers alone, so that they are drawn once for all
pairs with as many; the sum of a sample is a product of counts and values, and the leave-one-out
means that the acceleration needs come from the sum of all.

Of numbers of verdicts, which jump, the intervals are plain percentiles.

It draws by numpy, as scipy does; trials draw by jax keys alone, and none depends on this.

B. Efron & R. Tibshirani, An Introduction to the Bootstrap (1993), 14.3 and eq. 15.36.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import scipy
from numpy.random import Generator, default_rng

RESAMPLES = 9999
ALPHA = (1 - 0.95) / 2
AT_ONCE = 2**22  # draws in memory
REDRAWN = 999
"""Times that trials are drawn anew for an interval of a number of verdicts, and for theirs."""

Interval = tuple[float, float]


def redrawn(count: int, seed: int) -> np.ndarray:
    """Numbers of as many trials as there are, drawn with replacement, `[REDRAWN, count]`."""
    return default_rng(seed).integers(0, count, (REDRAWN, count))


def percentiles(resampled: np.ndarray) -> Interval:
    """The interval between two of the values in bootstrap samples, `[resample]`.

    For numbers of verdicts a jackknife, and so BCa, says nothing.
    """
    low, high = np.quantile(resampled, [ALPHA, 1 - ALPHA], method="inverted_cdf")
    return float(low), float(high)


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


def beyond(samples: np.ndarray, low: float, high: float) -> np.ndarray:
    """On which side of two bounds the interval of the mean lies, for many samples of one size.

    As it lies between the least and the most of a sample, few samples need one; it is that of
    `mean_interval`, but for `REDRAWN` bootstrap samples instead of `RESAMPLES`.

    Args:
        samples: `[sample, trial]`.
        low: lower bound.
        high: upper bound.

    Returns:
        `[sample]`: -1 where the whole interval is below `low`, 1 where it is above `high`, else 0.
    """
    start, end = samples.min(1), samples.max(1)
    across = (start < low) & (end >= low) | (start <= high) & (end > high)
    if across.any():
        start[across], end[across] = _ends(samples[across])
    return np.where(end < low, -1, np.where(start > high, 1, 0))


def _ends(samples: np.ndarray) -> np.ndarray:
    """Both ends of the intervals of the means of `[sample, trial]`, `[2, sample]`."""
    count = samples.shape[1]
    (times,) = _times(default_rng(0), count, REDRAWN)
    found = []
    for own in np.array_split(samples, 1 + len(samples) * REDRAWN // AT_ONCE):
        means, value = np.sort(own @ times.T / count), own.mean(1, keepdims=True)
        share = ((means < value).sum(1) + (means <= value).sum(1)) / (2 * REDRAWN)
        place = (REDRAWN - 1) * _levels(share, [_without_one(own)])
        before = np.minimum(place.astype(int), REDRAWN - 2)
        less, more = (np.take_along_axis(means, each.T, 1).T for each in (before, before + 1))
        found.append(less + (place - before) * (more - less))
    return np.concatenate(found, axis=1)


def _means(
    rng: Generator,
    values: np.ndarray,
) -> np.ndarray:
    """Means `[resample, column]` of `[trial, column]`; the same trials for every column."""
    return np.concatenate(
        [times @ values / len(values) for times in _times(rng, len(values), RESAMPLES)]
    )


def _times(rng: Generator, count: int, resamples: int) -> Iterator[np.ndarray]:
    """How often each trial is drawn, `[resample, trial]`, some of all resamples at a time."""
    rows = max(1, AT_ONCE // count)
    for start in range(0, resamples, rows):
        drawn = rng.integers(0, count, (min(rows, resamples - start), count))
        place = drawn + np.arange(len(drawn))[:, None] * count
        yield np.bincount(place.ravel(), minlength=place.size).reshape(place.shape)


def _without_one(sample: np.ndarray) -> np.ndarray:
    """Means of samples, `[..., trial]`, without each of their trials in turn."""
    return (sample.sum(-1, keepdims=True) - sample) / (sample.shape[-1] - 1)


def _bca(resampled: np.ndarray, value: float, jackknife: Sequence[np.ndarray]) -> Interval:
    """The interval of a value.

    Args:
        resampled: `[resample]`, the value in each of the bootstrap samples.
        value: in the sample itself.
        jackknife: of each sample, the values without one of its trials.
    """
    share = ((resampled < value).sum() + (resampled <= value).sum()) / (2 * len(resampled))
    low, high = scipy.stats.quantile(resampled, _levels(share, jackknife))
    return float(low), float(high)


def _levels(share: np.ndarray, jackknife: Sequence[np.ndarray]) -> np.ndarray:
    """Which quantiles of the bootstrap samples are the ends of the interval.

    Args:
        share: `[...]`, of the bootstrap samples, those below the value.
        jackknife: of each sample, the values without one of its trials, `[..., trial]`.

    Returns:
        `[2, ...]`.
    """
    bias = scipy.special.ndtri(share)
    sizes = [each.shape[-1] for each in jackknife]
    apart = [(each.shape[-1] - 1) * (each.mean(-1, keepdims=True) - each) for each in jackknife]
    skew = sum((each**3).sum(-1) / n**3 for each, n in zip(apart, sizes, strict=True))
    spread = sum((each**2).sum(-1) / n**2 for each, n in zip(apart, sizes, strict=True))
    acceleration = 1 / 6 * skew / spread**1.5
    shifted = np.stack([bias + end for end in scipy.special.ndtri([ALPHA, 1 - ALPHA])])
    return scipy.special.ndtr(bias + shifted / (1 - acceleration * shifted))
