"""The program of truncated backpropagation through time along streams."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from benchmarks.learning.program import (
    TRAIN,
    Setup,
    Trial,
    freeze_finished,
    numbered,
    select,
)
from benchmarks.learning.program_streams import StreamProgram, passage
from benchmarks.learning.stream_learners import Windows
from tasks.building import bits_at


class Course(NamedTuple):
    """How far the streams are that a trial learns from.

    Attributes:
        sources: states of their sources, `[streams, ...]`.
        carries: of the net, `[streams, ...]`.
    """

    sources: Any
    carries: Any


class WindowProgram(StreamProgram):
    """The compiled functions of a recipe; see `Program`. An update is a window of each stream."""

    def _start(self, setup: Setup) -> Trial:
        trial = super()._start(setup)
        return trial._replace(stream=self._beginning(trial.params))

    def _beginning(self, params: Any) -> Course:
        """Where all streams begin."""
        first = Course(self.task.begin(), self._carry(params))
        streams = self._learner.streams
        return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (streams, *leaf.shape)), first)

    @property
    def _learner(self) -> Windows:
        assert isinstance(self.recipe.learner, Windows)  # no other asks for this program
        return self.recipe.learner

    def _train(self, setup: Setup, trial: Trial, drawn: Any) -> Trial:
        del drawn
        streams, window = self._learner.streams, self._learner.window
        length = -(-self.task.length // window) * window  # FIDELITY N7
        keys = numbered(setup.key, TRAIN, jnp.zeros((), jnp.int32), streams)

        def update(trial, _):
            place = trial.seen // streams
            words: Any = jax.vmap(bits_at, (0, None))(keys, place + jnp.arange(window + 1))
            begins = place % length == 0
            course = select(begins, self._beginning(trial.params), trial.stream)
            trial = trial._replace(stream=course)
            return freeze_finished(trial, self._update(setup, trial, words)), None

        return jax.lax.scan(update, trial, length=self.recipe.inspect_every)[0]

    def _loss(self, params: Any, trial: Trial, batch: Any) -> tuple[jax.Array, Course]:
        """Mean loss over a window of each stream, by its words, and where the streams then are."""
        network = self._network(params)

        def one(source, carry, words):
            source, window = passage(self.task, source, words)
            carry, nets = network.resume(carry, window.inputs, window.fresh)
            return jnp.mean(self.objective.loss(nets, window.targets)), Course(source, carry)

        losses, course = jax.vmap(one)(trial.stream.sources, trial.stream.carries, batch)
        return jnp.mean(losses), course

    def _observe(self, trial: Trial, course: Any) -> Trial:
        """The trial, but for its weights, after a window of each stream."""
        return trial._replace(stream=course, seen=trial.seen + self.recipe.learner.batch)
