"""Learners for streams, which have no sequences: a window or a symbol at a time."""

from dataclasses import dataclass
from typing import Any

import jax
import optax

from benchmarks.errors import UsageError
from benchmarks.learning.learners import Adam, Online
from tasks.sequence import Objective, Task
from tasks.stream import StreamTask


class OfStreams:
    """Base of the learners that learn from streams and from nothing else."""

    def require_fit(self, task: Task, model: Any) -> None:
        """Refuses what cannot be learnt from.

        Raises:
            UsageError: the task is no stream, or too short a one.
        """
        del model
        if not isinstance(task, StreamTask):
            raise UsageError(f"{type(self).__name__} learns from streams, and {task} is none")


@dataclass(frozen=True)
class Windows(OfStreams):
    """Truncated backpropagation through time along streams, with Adam.

    Some streams are read side by side, a window of each for an update. The state of the net goes on
    from window to window, the gradient stops at their border (Williams & Peng 1990, with as many
    steps forwards as backwards; the usual way to train language models since Mikolov 2012). After
    as many symbols as are judged, streams begin anew, and the state with them.

    Attributes:
        streams: how many streams.
        window: symbols of each for an update.
        clip: largest global norm of the gradient.
    """

    streams: int = 10
    window: int = 50
    clip: float = 1.0

    summed = False
    program = "windows"

    def __post_init__(self):
        if self.streams < 1 or self.window < 1:
            raise ValueError(
                f"streams and window must be at least 1, not {self.streams} and {self.window}"
            )

    def require_fit(self, task: Task, model: Any) -> None:
        """As of `OfStreams`; a window must not be longer than what is judged."""
        super().require_fit(task, model)
        if self.window > task.steps:
            raise UsageError(
                f"the window must not be longer than the stream, which has {task.steps} symbols, "
                f"not {self.window}"
            )

    @property
    def batch(self) -> int:
        """Symbols for an update."""
        return self.streams * self.window

    def objective(self, task: Task) -> Objective:
        """The task's own link and loss."""
        return task.objective

    def optimizer(self, clip: float | jax.Array | None = None) -> optax.GradientTransformation:
        """As of `Adam`."""
        return Adam(clip=self.clip).optimizer(clip)


@dataclass(frozen=True)
class OnlineStream(OfStreams, Online):
    """The learner of Gers, Schmidhuber & Cummins 2000: weights change after every symbol.

    Nothing is reset but where a training stream begins, or where the task says so. A training
    stream ends with the first wrong prediction, which is still learnt from.

    Attributes:
        decay: what the learning rate is multiplied with after each symbol of a training stream, at
            whose beginning it has its full value again.
        longest: symbols after which a training stream ends in any case.
        most: training streams after which an unsolved trial stops.
    """  # FIDELITY N3

    decay: float = 1.0
    longest: int = 1_000_000
    most: int = 30_000

    program = "stream"
    at_once = True

    def __post_init__(self):
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay must be above 0 and at most 1, not {self.decay}")
        if self.longest < 1 or self.most < 1:
            raise ValueError(
                f"longest and most must be at least 1, not {self.longest} and {self.most}"
            )
