"""A trained net writes: it is asked for the next symbol, and what it says is its next input."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Recipe
from models.network import Network
from tasks.continual_reber import ContinualReber
from tasks.reber import Reber
from tasks.sequence import Task
from tasks.stream import StreamTask

COLDEST, MOST = 1e-3, 10_000
"""Temperatures below give logarithms that float32 does not hold; texts at most."""


class Written(NamedTuple):
    """Texts that were written, one symbol after the other.

    Attributes:
        texts: each up to its end, or to its first illegal symbol, which is its last one.
        legal: `[n]` bool; whether the source could have written them: every symbol might come, and
            a string of the grammar has come to its end.
    """

    texts: list[str]
    legal: np.ndarray


class _Text(NamedTuple):
    """A text while it is written.

    Attributes:
        source: state of the source behind what there is.
        carry: of the net, before it has seen the last symbol.
        symbol: `[]` int32, the last one.
        legal: `[]` bool, whether all of them might come.
        over: `[]` bool, whether nothing comes any more.
    """

    source: Any
    carry: Any
    symbol: jax.Array
    legal: jax.Array
    over: jax.Array


def source(task: Task) -> StreamTask:
    """The source of a task's symbols.

    Raises:
        UsageError: it has none.
    """
    if isinstance(task, StreamTask):
        return task
    if isinstance(task, Reber):
        return ContinualReber()
    raise UsageError(
        f"{type(task).__name__} does not ask for next symbols, so that nothing can be sampled; "
        "the tasks of suite streams do, and reber"
    )


def by_network(
    network: nnx.Module, recipe: Recipe, key: jax.Array, count: int, length: int, temperature: float
) -> Written:
    """Texts by a trained net, which is given the first symbol.

    Args:
        network: the net.
        recipe: what it was trained with.
        key: of all that is random.
        count: how many texts.
        length: symbols at most of each.
        temperature: probabilities p of the net become p^(1 / temperature), normalised: below 1 it
            keeps to what it thinks likely, above 1 it dares more.

    Raises:
        UsageError: the net or the task is of another kind.
    """
    task = source(recipe.task)
    if not isinstance(network, Network):
        raise UsageError("only a net with a recurrent cell can be sampled")
    activate = recipe.learner.objective(recipe.task).activate

    def shares(text: _Text) -> tuple[Any, jax.Array]:
        x = (text.symbol == jnp.arange(task.n_in)).astype(jnp.float32)
        carry, nets = network.resume(text.carry, x[None], jnp.zeros(1, bool))
        return carry, activate(nets[0])  # of logistic units too: FIDELITY N6

    carry = network.cell.initialize_carry((task.n_in,), nnx.Rngs(0))
    return _written(task, shares, carry, key, count, length, temperature)


def by_source(task: Task, key: jax.Array, count: int, length: int, temperature: float) -> Written:
    """As `by_network`, by the source itself, whose every symbol is legal."""
    own = source(task)
    return _written(
        own, lambda text: ((), own.chances(text.source)), (), key, count, length, temperature
    )


def _written(
    task: StreamTask, shares, carry: Any, key: jax.Array, count: int, length: int, temperature
) -> Written:
    ends = isinstance(task, ContinualReber)  # FIDELITY N8

    def one(key):
        first, key = jax.random.split(key)
        source = task.begin()
        symbol = jax.random.categorical(first, jnp.log(task.chances(source))).astype(jnp.int32)
        yes, no = jnp.array(True), jnp.array(False)
        text = _Text(task.follow(source, symbol), carry, symbol, yes, no)
        text, more = jax.lax.scan(
            functools.partial(step, key), text, jnp.arange(length - 1, dtype=jnp.uint32)
        )
        return jnp.concatenate([symbol[None], more]), text.legal & (text.over | (not ends))

    def step(key, text, at):
        carry, likely = shares(text)
        scores = jnp.log(likely) / temperature
        symbol = jax.random.categorical(jax.random.fold_in(key, at), scores).astype(jnp.int32)
        legal = text.legal & (task.chances(text.source)[symbol] > 0)
        behind = task.follow(text.source, symbol)
        over = ~legal | (jnp.array(ends) & task.between(behind))
        new = _Text(behind, carry, symbol, legal, over)
        new = jax.tree.map(lambda a, b: jnp.where(text.over, b, a), new, text)
        return new, jnp.where(text.over, -1, symbol)

    symbols, legal = jax.device_get(jax.jit(jax.vmap(one))(jax.random.split(key, count)))
    texts = ["".join(task.alphabet[i] for i in line if i >= 0) for line in symbols]
    return Written(texts, np.asarray(legal))
