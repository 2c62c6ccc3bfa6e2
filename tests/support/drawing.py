"""Samples for the tests of tasks; each sampler and judge is compiled once per session."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from tasks.sequence import Sequence

MANY = 4096
QUICKLY_COMPILED = {"xla_backend_optimization_level": 0}  # tests compile much and run little


@functools.cache
def draw(task, n=MANY):
    """`n` sequences of a task, stacked, as NumPy arrays; a larger n begins with the same ones."""
    with jax.numpy_rank_promotion("raise"):
        return Sequence(*map(np.asarray, _sampler(task)(keys(n))))


def keys(n=MANY):
    """The keys of the sequences that `draw` returns."""
    return jax.random.split(jax.random.key(0), n)


def judge(task, outputs, sequences):
    """Verdicts on stacked outputs, as NumPy arrays (error, wrong)."""
    with jax.numpy_rank_promotion("raise"):
        verdicts = _judge(task)(jnp.asarray(outputs), sequences)
    return np.asarray(verdicts.error), np.asarray(verdicts.wrong)


@functools.cache
def _sampler(task):
    return jax.jit(jax.vmap(task.sample), compiler_options=QUICKLY_COMPILED)


@functools.cache
def _judge(task):
    return jax.jit(jax.vmap(task.judge), compiler_options=QUICKLY_COMPILED)


def spelled(one_hot, alphabet):
    """One-hot rows `[n, len(alphabet)]` as a string."""
    assert (np.sort(one_hot, -1)[:, :-1] == 0).all()
    assert (one_hot.max(-1) == 1).all()
    return "".join(alphabet[i] for i in one_hot.argmax(-1))


def close(frequency, probability, n):
    """Whether a frequency of n draws is within five standard deviations of a probability."""
    return abs(frequency - probability) <= 5 * (probability * (1 - probability) / n) ** 0.5 + 1e-12
