"""What the programs of streams share: no sequences are drawn, and tests go on to the first error.

`seen`, the budget and sequences to success count symbols here.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from benchmarks.errors import UsageError
from benchmarks.learning import xla
from benchmarks.learning.experiment import Recipe
from benchmarks.learning.program import RUNNING, TEST, Program, Setup, Trial, numbered
from models.network import Network
from tasks.building import bits_at
from tasks.sequence import Verdict
from tasks.stream import StreamTask

CHUNK = 64
"""Symbols between two looks at whether all test streams have come to an error."""

CONTEXTS = (1, 4, 16, 64)
"""How many of the latest symbols a net is shown, to see how far back it uses them."""
MEASURED, EVERY = 1024, 8
"""Symbols of a stream for measuring the loss, and how many of them are between two measurements."""
MEASURED_FIRST = 2**20  # number of the first such stream: none is a test stream


class StreamSource:
    """Keys of test streams; what comes in a training stream depends on where the net has erred.

    Attributes:
        most: how many streams a test has.
    """

    finite = False

    def __init__(self, most: int):
        self.most = most
        options = xla.quick_compile_options(jax.default_backend())

        def keys(keys, stream, first, count):
            return jax.vmap(numbered, (0, None, 0, None))(keys, stream, first, count)

        self._keys = jax.jit(keys, static_argnums=3, compiler_options=options)

    def training(self, keys: jax.Array, first: jax.Array, count: int, sets: None) -> tuple[()]:
        """Nothing: the program draws its symbols itself."""
        del keys, first, count, sets
        return ()

    def tests(self, keys: jax.Array, stream: int, first: jax.Array, count: int) -> jax.Array:
        """Keys of `count` test streams for each lane, but of no more than a test has."""
        return self._keys(keys, stream, first, min(count, self.most))


class Passage(NamedTuple):
    """A part of a stream.

    Attributes:
        inputs: `[T, n]`, one-hot.
        targets: `[T, n]`.
        legal: `[T, n]` bool; which symbols may come next.
        chances: `[T]`; how likely the one that comes was.
        next: `[T]` int32, the symbol that comes.
        fresh: `[T]` bool; the steps before which the net is reset.
    """

    inputs: jax.Array
    targets: jax.Array
    legal: jax.Array
    chances: jax.Array
    next: jax.Array
    fresh: jax.Array


def passage(task: StreamTask, source: Any, words: jax.Array) -> tuple[Any, Passage]:
    """The next T symbols of a stream.

    Args:
        task: whose stream.
        source: state of the stream's source.
        words: `[T + 1]` random words; the last one tells what comes behind the passage, and has to
            be the first one of the next.

    Returns:
        The source's state behind the passage, and the passage.
    """

    def one(state, word):
        symbol = task.draw(state, word)
        new = task.follow(state, symbol)
        return new, (symbol, new, jnp.asarray(task.resets) & task.between(state))

    _, (symbols, states, fresh) = jax.lax.scan(one, source, words)
    before, following = jax.tree.map(lambda leaf: leaf[:-1], states), symbols[1:]
    chances = jax.vmap(task.chances)(before)
    n = jnp.arange(task.n_in)
    return jax.tree.map(lambda leaf: leaf[-2], states), Passage(
        (symbols[:-1, None] == n).astype(jnp.float32),
        jax.vmap(task.taught)(before, following),
        chances > 0,
        jnp.take_along_axis(chances, following[:, None], 1)[:, 0],
        following,
        fresh[:-1],
    )


class StreamProgram(Program):
    """Base of the programs of streams; see `Program`. Subclasses train.

    Raises:
        UsageError: the criterion looks at training sequences.
    """

    curves = False  # a test stops at the first wrong stream, of which a curve would call all wrong

    def __init__(self, recipe: Recipe):
        assert isinstance(recipe.task, StreamTask)  # the learner has seen to it
        if not recipe.criterion.inspection:
            raise UsageError("streams have no training sequences for a criterion to look at")
        super().__init__(recipe)
        self.task = recipe.task
        self.source = StreamSource(max(recipe.criterion.inspection, recipe.test_size))
        self._measure = jax.jit(self._measurements)

    def updates_per_call(self) -> int:
        """As many as there are between two inspections."""
        return self.recipe.inspect_every

    def measured(self, setups: Setup, trials: Trial, lane: int) -> dict[str, float]:
        """Figures of a trial's net beside its verdicts, by columns of a row.

        `prefix`: mean of symbols up to the first error over the test streams; `bits`: mean loss for
        a symbol; `floor`: that of the source itself; and the loss where the net is shown no more
        than so many of the latest symbols, see `CONTEXTS`.
        """
        setup, trial = jax.tree.map(lambda leaf: leaf[lane], (setups, trials))
        return {name: round(float(value), 4) for name, value in self._measure(setup, trial).items()}

    def _network(self, params: Any) -> Network:
        return nnx.merge(self.graph, params)

    def _carry(self, params: Any) -> Any:
        """The net's carry where it is reset."""
        return self._network(params).cell.initialize_carry((self.task.n_in,), nnx.Rngs(0))

    def _verdicts(self, trial: Trial, keys: Any) -> Verdict:
        """Verdicts `[n]` on a net's predictions of streams with these keys.

        While a trial is running, a test ends as soon as more of them are wrong than may be: the
        rest are called wrong without a look. So are all of them if there is nothing new to test.
        """
        may, running = self.recipe.criterion.wrong_at_most, trial.outcome == RUNNING
        skipped = running & ~self._to_test(trial)
        most = jnp.where(skipped, -1, jnp.where(running, may, len(keys)))
        prefixes, errors = self._prefixes(self._tested(trial), keys, most)
        return Verdict(jnp.where(skipped, jnp.nan, errors), prefixes < self.task.length)

    def _tested(self, trial: Trial) -> Any:
        """The parameters that tests are about."""
        return trial.params

    def _to_test(self, trial: Trial) -> jax.Array:
        """Whether they are others than at the last inspection, `[]` bool."""
        del trial
        return jnp.array(True)

    def _prefixes(
        self, params: Any, keys: jax.Array, most: int | jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """How many symbols are predicted up to the first error, `[n]` int32, `length` at most.

        And the mean absolute error of the outputs up to the end of the chunk with that error. Once
        there is an error in more than `most` streams, the others are not followed any further.
        """
        count, length = len(keys), self.task.length
        start = self.task.begin(), self._carry(params)
        place = jnp.arange(CHUNK + 1)

        def goes_on(now):
            first, _, prefixes, _ = now
            going = jnp.sum(prefixes == first)
            return (first < length) & (going > 0) & (going >= count - most)

        def one(now):
            first, cursors, prefixes, errors = now
            words = jax.vmap(bits_at, (0, None))(keys, first + place)
            right, error, cursors = jax.vmap(functools.partial(self._chunk, params))(cursors, words)
            going = prefixes == first
            right = right & (first + place[:-1] < length)
            in_a_row = jnp.sum(jnp.cumprod(right, 1, dtype=jnp.int32), 1)
            chunks = first // CHUNK
            mean = (errors * chunks + error) / (chunks + 1)
            prefixes = prefixes + jnp.where(going, in_a_row, 0)
            return first + CHUNK, cursors, prefixes, jnp.where(going, mean, errors)

        cursors = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (count, *leaf.shape)), start)
        nothing = jnp.zeros(count)
        now = jnp.zeros((), jnp.int32), cursors, nothing.astype(jnp.int32), nothing
        return jax.lax.while_loop(goes_on, one, now)[2:]

    def _chunk(self, params: Any, cursor: tuple[Any, Any], words: jax.Array):
        """Whether each symbol of a chunk is predicted, the error, and where source and net are."""
        source, carry = cursor
        source, chunk = passage(self.task, source, words)
        carry, nets = self._network(params).resume(carry, chunk.inputs, chunk.fresh)
        outputs = self.objective.activate(nets)
        error = jnp.mean(jnp.abs(outputs - chunk.targets))
        return self.task.predicted(outputs, chunk.legal), error, (source, carry)

    def _measurements(self, setup: Setup, trial: Trial) -> dict[str, jax.Array]:
        count = self.recipe.test_size
        tests = numbered(setup.key, TEST, jnp.zeros((), jnp.int32), count)
        streams = numbered(setup.key, TEST, jnp.asarray(MEASURED_FIRST, jnp.int32), count)
        bits = jax.vmap(functools.partial(self._bits, trial.params))(streams)
        prefixes, _ = self._prefixes(trial.params, tests, count)
        return {"prefix": jnp.mean(prefixes), **jax.tree.map(jnp.mean, bits)}

    def _bits(self, params: Any, key: jax.Array) -> dict[str, jax.Array]:
        """Bits for a symbol over one stream, by how many of the latest symbols the net is shown."""
        network, carry = self._network(params), self._carry(params)
        words = bits_at(key, jnp.arange(MEASURED + 1))
        _, whole = passage(self.task, self.task.begin(), words)
        at = jnp.arange(max(CONTEXTS) - 1, MEASURED, EVERY)

        def bits(nets, following):
            outputs = self.objective.activate(nets)
            share = outputs / jnp.sum(outputs, -1, keepdims=True)  # FIDELITY N6
            chosen = jnp.take_along_axis(share, following[..., None], -1)[..., 0]
            return -jnp.log2(jnp.maximum(chosen, jnp.finfo(chosen.dtype).tiny))

        def behind(context):
            shown = at[:, None] + jnp.arange(1 - context, 1)
            nets = jax.vmap(network.resume, (None, 0, 0))(
                carry, whole.inputs[shown], whole.fresh[shown]
            )[1]
            return jnp.mean(bits(nets[:, -1], whole.next[at]))

        nets = network.resume(carry, whole.inputs, whole.fresh)[1]
        return {
            "bits": jnp.mean(bits(nets[at], whole.next[at])),
            "floor": -jnp.mean(jnp.log2(whole.chances[at])),
            **{f"context_{context}": behind(context) for context in CONTEXTS},
        }
