"""Samples for the tests of tasks, drawn once per session."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from tasks.sequence import Sequence


@functools.cache
def draw(task, n=4096, seed=0):
    """`n` sequences of a task, stacked, as NumPy arrays."""
    keys = jax.random.split(jax.random.key(seed), n)
    with jax.numpy_rank_promotion("raise"):
        drawn = jax.jit(jax.vmap(task.sample))(keys)
    return Sequence(*map(np.asarray, drawn))


def judge(task, outputs, sequences):
    """Verdicts on stacked outputs, as NumPy arrays (error, wrong)."""
    with jax.numpy_rank_promotion("raise"):
        verdicts = _judge(task)(jnp.asarray(outputs), sequences)
    return np.asarray(verdicts.error), np.asarray(verdicts.wrong)


@functools.cache
def _judge(task):
    return jax.jit(jax.vmap(task.judge))


def spelled(one_hot, alphabet):
    """One-hot rows `[n, len(alphabet)]` as a string."""
    assert (np.sort(one_hot, -1)[:, :-1] == 0).all()
    assert (one_hot.max(-1) == 1).all()
    return "".join(alphabet[i] for i in one_hot.argmax(-1))


def close(frequency, probability, n):
    """Whether a frequency of n draws is within five standard deviations of a probability."""
    return abs(frequency - probability) <= 5 * (probability * (1 - probability) / n) ** 0.5 + 1e-12
