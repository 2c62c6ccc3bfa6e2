"""The program of on-line learning along streams: the weights change after every symbol.

As in `program_forward`, all trials take a step together, with trials in the last axis; each of them
begins its next training stream when it has come to a wrong prediction.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from benchmarks.errors import UsageError
from benchmarks.learning import xla
from benchmarks.learning.experiment import Recipe
from benchmarks.learning.program import (
    RUNNING,
    SOLVED,
    SPENT,
    TRAIN,
    Setup,
    Trial,
    freeze_finished,
    select,
)
from benchmarks.learning.program_forward import ForwardProgram
from benchmarks.learning.program_streams import StreamProgram
from benchmarks.learning.stream_learners import OnlineStream
from models.lstm00 import online
from models.lstm00.net import Net00
from models.lstm97 import stream
from models.lstm97.forward import LITERAL, Reading
from models.lstm97.net import Net97
from tasks.building import bits_at
from tasks.sequence import Verdict


class Course(NamedTuple):
    """How far the training stream is that a trial learns from.

    Attributes:
        source: state of its source.
        net: state of the net, and ds/dw.
        place: `[]` int32; symbols of it so far.
        ended: `[]` int32; training streams before it.
        tested: the parameters at the end of the last training stream, which are those that are
            tested.
        inspected: `[]` int32; value of `ended` when they were tested, so that none are twice.
    """

    source: Any
    net: Any
    place: jax.Array
    ended: jax.Array
    tested: Any
    inspected: jax.Array


class Moving(NamedTuple):
    """What goes from symbol to symbol, of all trials, which are the last axis of everything."""

    weights: Any
    tested: Any
    course: Course
    seen: jax.Array


class OnlineStreamProgram(StreamProgram):
    """The compiled functions of a recipe; see `Program`. An update is a symbol.

    Raises:
        UsageError: the net is neither a `Net97` nor a `Net00`, or has not the truncated gradient.
    """

    cpu_lanes = ForwardProgram.cpu_lanes

    def __init__(self, recipe: Recipe):
        self._kind, self._own = _kind(recipe.model)
        assert isinstance(recipe.learner, OnlineStream)  # no other asks for this program
        self.learner = recipe.learner
        super().__init__(recipe)
        options = xla.loop_options(jax.default_backend())
        self.train = jax.jit(self._train_lanes, donate_argnums=1, compiler_options=options)

    def measured(self, setups: Setup, trials: Trial, lane: int) -> dict[str, float]:
        """As of `StreamProgram`, and `streams`: training streams of the trial.

        The one that had begun when the trial stopped counts where the budget or a number that was
        not finite stopped it; a rule stops it for what the streams before have taught.
        """
        streams, outcome = int(trials.stream.ended[lane]), int(trials.outcome[lane])
        if outcome != SOLVED and streams < self.learner.most:
            streams += 1
        return {"streams": streams, **super().measured(setups, trials, lane)}

    def _start(self, setup: Setup) -> Trial:
        trial = super()._start(setup)
        weights = self._kind.from_params(jax.tree.map(lambda leaf: leaf[None], trial.params))
        net = jax.tree.map(lambda leaf: leaf[..., 0], self._kind.start(weights, **self._own))
        nothing = jnp.zeros((), jnp.int32)
        course = Course(self.task.begin(), net, nothing, nothing, trial.params, nothing)
        return trial._replace(stream=course)

    def _tested(self, trial: Trial) -> Any:
        return trial.stream.tested  # FIDELITY N4

    def _to_test(self, trial: Trial) -> jax.Array:
        return trial.stream.ended > trial.stream.inspected

    def _inspect(self, trial: Trial, verdicts: Verdict) -> Trial:
        shown = super()._inspect(trial, verdicts)
        shown = shown._replace(stream=shown.stream._replace(inspected=shown.stream.ended))
        spent = (shown.outcome == RUNNING) & (shown.stream.ended >= self.learner.most)
        outcome = jnp.where(spent, jnp.int8(SPENT), shown.outcome)
        params = select(outcome == RUNNING, shown.params, shown.stream.tested)
        return shown._replace(outcome=outcome, params=params)

    def _train_lanes(self, setups: Setup, trials: Trial, drawn: tuple[()]) -> Trial:
        del drawn
        places = jnp.arange(self.recipe.inspect_every + 1)
        words = jax.vmap(lambda key, at: bits_at(key, at + places), (0, 0), 1)(
            jax.vmap(jax.random.fold_in, (0, None))(setups.key, TRAIN), trials.seen
        )
        last = functools.partial(jax.tree.map, lambda leaf: jnp.moveaxis(leaf, 0, -1))
        start = Moving(
            self._kind.from_params(trials.params),
            self._kind.from_params(trials.stream.tested),
            last(trials.stream._replace(tested=())),
            trials.seen,
        )

        def one(now: Moving, words: tuple[jax.Array, jax.Array]):
            return self._symbol(setups.rate, now, *words), None

        end = jax.lax.scan(one, start, (words[:-1], words[1:]))[0]
        params, tested = (
            self._kind.to_params(weights, trials.params) for weights in (end.weights, end.tested)
        )
        course = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, -1, 0), end.course)
        course = course._replace(tested=tested)
        return jax.vmap(self._settle)(trials, params, course, end.seen)

    def _symbol(
        self, rates: jax.Array, now: Moving, word: jax.Array, following: jax.Array
    ) -> Moving:
        """One more symbol of every trial's stream; `following` tells what comes behind it."""
        task, course = self.task, now.course
        lanes = functools.partial(jax.vmap, in_axes=-1, out_axes=-1)
        begins = course.place == 0
        source = _where(begins, _filled(task.begin(), course.source), course.source)
        fresh = begins | (lanes(task.between)(source) if task.resets else False)
        net = _where(fresh, self._kind.start(now.weights, **self._own), course.net)
        symbol = lanes(task.draw)(source, word)
        source = lanes(task.follow)(source, symbol)
        x = (symbol == jnp.arange(task.n_in)[:, None]).astype(jnp.float32)
        targets = lanes(task.taught)(source, lanes(task.draw)(source, following))
        y, gradient, net = self._kind.learn(
            now.weights, net, x, targets, output=self.learner.output, **self._own
        )
        rates = rates * self.learner.decay ** course.place.astype(jnp.float32)
        right = lanes(task.predicted)(y, lanes(task.chances)(source) > 0)
        place = course.place + 1
        over = ~right | (place >= self.learner.longest)
        weights = jax.tree.map(lambda w, d: w - rates * d, now.weights, gradient)
        ended = course.ended + over.astype(jnp.int32)
        moved = Moving(
            weights,
            _where(over, weights, now.tested),
            course._replace(source=source, net=net, place=jnp.where(over, 0, place), ended=ended),
            now.seen + 1,
        )
        return _where(course.ended < self.learner.most, moved, now)

    def _settle(self, trial: Trial, params: Any, course: Course, seen: jax.Array) -> Trial:
        """The trial after symbols that have left these parameters."""
        sums = (jnp.sum(leaf) for leaf in jax.tree.leaves(params))
        finite = functools.reduce(jnp.logical_and, map(jnp.isfinite, sums))
        moved = trial._replace(params=params, stream=course, seen=seen)
        return freeze_finished(trial, self._conclude(select(finite, moved, trial), finite))


def _kind(model: Any) -> tuple[Any, dict[str, int]]:
    """The module that has a net's steps and gradient, and what else they have to be told."""
    if isinstance(model, Net00) and model.truncate:
        return online, {"blocks": model.blocks}
    if isinstance(model, Net97) and model.truncate and _literal(model):
        return stream, {}
    raise UsageError("on-line learning along streams needs the net of 1997 or of 2000, truncated")


def _literal(model: Net97) -> bool:
    """Whether a net's activations begin, and its states are squashed, as the paper has it."""
    return Reading(reset=model.reset, h=model.h) == LITERAL


def _where(lanes: jax.Array, new: Any, old: Any) -> Any:
    """Every leaf from `new` in the lanes, its last axis, that are marked, else from `old`."""
    return jax.tree.map(lambda a, b: jnp.where(lanes, a, b), new, old)


def _filled(one: Any, like: Any) -> Any:
    """The same state in every lane."""
    return jax.tree.map(lambda leaf, wide: jnp.broadcast_to(leaf[..., None], wide.shape), one, like)
