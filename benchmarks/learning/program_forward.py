"""The fast program of the 1997 learner: forward accumulation, with trials in the last axis.

It does what `program.Program` does, for `Net97` and tasks with a teacher signal at the
last step only. One step of all trials together is a handful of vector instructions, so the whole
training is one loop of steps over all lanes.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from benchmarks.learning import xla
from benchmarks.learning.experiment import Recipe
from benchmarks.learning.learners import Online
from benchmarks.learning.program import (
    RUNNING,
    TRAIN,
    Program,
    Setup,
    Trial,
    numbered,
    select,
)
from models.lstm97 import forward, online
from models.lstm97.forward import Reading
from models.lstm97.net import Net97
from tasks.building import SymbolTask
from tasks.sequence import Sequence, Task, Verdict

STEPS_PER_CALL = 100_000
"""Time steps of training sequences in memory at a time, for each lane."""

FEW_LANES, MANY_STEPS = 8, 50_000_000
"""The last trials get fewer lanes if so many steps make up for compiling once more."""

MANY_WEIGHTS = 1024
"""So many steps are looked at one by one; of fewer, a sum tells sooner whether they are finite."""


class Ended(NamedTuple):
    """A sequence whose only teacher signal comes at its last step.

    Attributes:
        inputs: `[T, n_in]` float32, or of a task with symbols `[T]` int32; any from `length` on.
        length: `[]` int32.
        target: `[n_out]`, at the last step.
    """

    inputs: jax.Array
    length: jax.Array
    target: jax.Array


def draw(task: Task, key: jax.Array) -> Ended:
    """The same sequence as `task.sample(key)`."""
    if isinstance(task, SymbolTask):
        symbols = task.symbols(key)
        answer = symbols.targets[symbols.length - 1]
        target = (answer == jnp.arange(task.n_out)).astype(jnp.float32)
        return Ended(jnp.maximum(symbols.inputs, 0), symbols.length, target)
    sequence = task.sample(key)
    return Ended(sequence.inputs, sequence.length, sequence.targets[sequence.length - 1])


class ForwardSource:
    """Sequences for every lane, with their axes where the program wants them."""

    finite = False

    def __init__(self, task: Task):
        def many(key, stream, first, count):
            return jax.vmap(functools.partial(draw, task), out_axes=-1)(
                numbered(key, stream, first, count)
            )

        def training(keys, stream, first, count):
            def one(key, at):
                return jax.tree.map(
                    lambda leaf: jnp.moveaxis(leaf, -1, 0), many(key, stream, at, count)
                )

            return jax.vmap(one, out_axes=-1)(keys, first)

        def tests(keys, stream, first, count):
            return jax.vmap(lambda key, at: many(key, stream, at, count))(keys, first)

        self._training, self.tests = _in_two(training), _in_two(tests)

    def training(self, keys: jax.Array, first: jax.Array, count: int, sets: None) -> Ended:
        """The next `count` training sequences of each lane, `[count, ..., lane]`."""
        del sets
        return self._training(keys, TRAIN, first, count)


def _in_two(drawn: Callable[..., Ended]) -> Callable[..., Ended]:
    """What draws sequences, compiled; inputs in a program of their own.

    Results of one program are drawn with their axes in another order, and then copied; a single
    result is drawn where it belongs.
    """
    options = xla.drawing_options(jax.default_backend())
    compiled = functools.partial(jax.jit, static_argnums=3, compiler_options=options)
    inputs = compiled(lambda *given: drawn(*given).inputs)
    rest = compiled(lambda *given: drawn(*given)[1:])
    return lambda *given: Ended(inputs(*given), *rest(*given))


def reading(recipe: Recipe) -> Reading:
    """How the learner and the net of a recipe read the paper."""
    assert isinstance(recipe.learner, Online)  # no other asks for these programs
    assert isinstance(recipe.model, Net97)
    return Reading(recipe.learner.output, recipe.model.reset, recipe.model.h)


class ForwardProgram(Program):
    """The compiled functions of a recipe; see `Program`.

    Attributes:
        gradient: of the error at the end of a sequence of each lane; arguments and results as of
            `online.gradient`.

    Raises:
        ValueError: the net is not a `Net97` with the truncated gradient.
    """

    cpu_lanes = 16  # a vector register; measured, more of them cost as much for each trial
    gradient = staticmethod(online.gradient)

    def __init__(self, recipe: Recipe):
        self._check(recipe)
        super().__init__(recipe)
        self.source = forward_source(recipe.task)
        assert isinstance(recipe.learner, Online)  # no other asks for this program
        self.output = recipe.learner.output
        options = xla.loop_options(jax.default_backend())
        self.train = jax.jit(self._train_lanes, donate_argnums=1, compiler_options=options)
        self.verdicts = jax.jit(self._lane_verdicts, compiler_options=options)

    def _check(self, recipe: Recipe) -> None:
        if not isinstance(recipe.model, Net97) or not recipe.model.truncate:
            raise ValueError("forward accumulation needs a Net97 with the truncated gradient")
        self._require_no_shortcuts(recipe.model)

    def _require_no_shortcuts(self, model: Net97) -> None:
        if model.shortcuts:
            raise ValueError("shortcuts are for tasks with a teacher signal at every step")

    def _weights(self, params: nnx.State) -> Any:
        """Weights of the nets of all lanes, lanes last."""
        return forward.from_params(params)

    def _params(self, weights: Any, like: nnx.State) -> nnx.State:
        """Inverse of `_weights`."""
        return forward.to_params(weights, like)

    def _answers(self, weights: Any, sequence: Ended) -> tuple[jax.Array, Any]:
        """Outputs `[n_out, lane]` and the gradient at the end of a sequence of each lane."""
        return self.gradient(
            weights,
            sequence.inputs,
            sequence.length,
            sequence.target,
            reading(self.recipe),
        )

    def _outputs(self, weights: Any, tests: Ended) -> jax.Array:
        """Outputs `[n_out, n]` of one net at the end of n sequences."""
        return forward.outputs(weights, tests.inputs, tests.length, reading(self.recipe))

    def lanes_at_the_end(self, lanes: int, trials: int, steps: int) -> int:
        """On a CPU half a vector register where that is enough: numbers are the same in both."""
        vectors = xla.ON and jax.default_backend() == "cpu"  # else the compiler unrolls 8 lanes
        few = trials <= FEW_LANES and steps >= MANY_STEPS
        return FEW_LANES if few and vectors else lanes

    def updates_per_call(self) -> int:
        """As many as have their sequences in the cache, more or less."""
        every = self.recipe.inspect_every
        most = max(1, STEPS_PER_CALL // self.recipe.task.steps)
        return max(n for n in range(1, every + 1) if every % n == 0 and n <= most)

    def _train_lanes(self, setups: Setup, trials: Trial, sequences: Ended) -> Trial:
        def update(carry, sequence):
            weights, trials = carry
            y, gradient = self._answers(weights, sequence)
            steps = jax.tree.map(lambda g: -setups.rate * g, gradient)
            finite = functools.reduce(
                jnp.logical_and,
                (_finite(leaf) for leaf in jax.tree.leaves(steps)),
            )
            moves = finite & (trials.outcome == RUNNING)
            weights = jax.tree.map(lambda w, s: jnp.where(moves, w + s, w), weights, steps)
            verdicts = jax.vmap(self._judge, -1)(y, sequence)
            return (weights, jax.vmap(self._follow)(trials, verdicts, finite)), None

        start = self._weights(trials.params), trials._replace(params=())
        weights, after = jax.lax.scan(update, start, sequences)[0]
        return after._replace(params=self._params(weights, trials.params))

    def _follow(self, trial: Trial, verdict: Verdict, finite: jax.Array) -> Trial:
        """What one sequence changes in a trial, but for its weights."""
        seen = self._observe(trial, jax.tree.map(lambda leaf: leaf[None], verdict))
        new = self._conclude(seen, finite)
        # What the criteria remember goes on changing in finished trials, where nothing reads it:
        # to hold it would cost more than the network.
        held = select((trial.outcome == RUNNING) & finite, _mark(new), _mark(trial))
        diverged = (trial.outcome == RUNNING) & ~finite
        held = held._replace(outcome=jnp.where(diverged, new.outcome, held.outcome))
        return held._replace(criterion=new.criterion, milestone=new.milestone)

    def _lane_verdicts(self, trials: Trial, sequences: Ended) -> Verdict:
        def lane(given):
            params, tests = given
            weights = self._weights(jax.tree.map(lambda leaf: leaf[None], params))
            return jax.vmap(self._judge, -1)(self._outputs(weights, tests), tests)

        return jax.lax.map(lane, (trials.params, sequences))

    def _judge(self, y: jax.Array, sequence: Ended) -> Verdict:
        """The task's verdict on outputs `[n_out]` at the last step.

        Judges look at the scored step, and at most (3c) at what the first one tells.
        """
        first, target = sequence.inputs[:1], sequence.target[None]
        scored, one = jnp.ones(1, bool), jnp.ones((), jnp.int32)
        return self.recipe.task.judge(y[None], Sequence(first, target, scored, one))


def _finite(steps: jax.Array) -> jax.Array:
    """Whether all steps `[..., lane]` of a lane are finite."""
    rows = steps.reshape(-1, steps.shape[-1])
    if len(rows) > MANY_WEIGHTS:
        return jnp.all(jnp.isfinite(rows), 0)
    return jnp.isfinite(jnp.sum(rows, 0))  # a sum is, if all its terms are


def _mark(trial: Trial) -> Trial:
    return trial._replace(criterion=(), milestone=())


@functools.cache
def forward_source(task: Task) -> ForwardSource:
    """The source of a task; asking twice does not compile twice."""
    return ForwardSource(task)
