"""An experiment: one task, one model, one learner, one criterion, a budget and trials."""

import dataclasses
import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from types import FunctionType
from typing import Any, Protocol

import jax
import numpy as np
from flax import nnx

from benchmarks.learning.criteria import Criterion, Recent
from benchmarks.learning.learners import Learner, Particular
from benchmarks.learning.own_source import own_source
from benchmarks.learning.provenance import jax_settings
from benchmarks.learning.stream_learners import OfStreams
from models.lstm97.lag_net import Growth
from tasks.sequence import Chance, FiniteTask, Task


class Model(Protocol):
    """A recipe for networks; implementations are frozen dataclasses (`models.network`)."""

    @property
    def growth(self) -> Growth | None:
        """The rule by which the network grows while it is trained, None where it does not.

        A network that grows is called with a third argument.
        """

    @property
    def batched(self) -> bool:
        """Whether its networks take batches, in leading axes; gradients are faster so."""

    def __hash__(self) -> int: ...

    def build(
        self, n_in: int, n_out: int, rngs: nnx.Rngs, *args: Any, **settings: Any
    ) -> nnx.Module:
        """A fresh network: `(inputs [T, n_in], length) -> net inputs of the outputs [T, n_out]`.

        The settings are those of `Settings` that are about its start: `memory`, `scale`.

        Its method `last` takes the same and gives those after the last step, `[n_out]`; networks
        without it learn only where there is a teacher signal at every step.
        """


@dataclass(frozen=True)
class Recipe:
    """All that shapes the compiled program; experiments that share it share the program.

    Attributes:
        task: what is learnt.
        model: the network.
        learner: loss, batch and optimiser.
        criterion: decides when a trial is solved and stops.
        budget: sequences after which an unsolved trial stops (it is censored there).
        inspect_every: updates between two inspections by the criterion.
        milestone: an earlier criterion, recorded on the way and of no consequence.
        test_size: fresh sequences that a finished trial is tested on.

    Raises:
        ValueError: budget, inspections and criteria do not fit together.
        UsageError: the learner has no meaning for the task or the model.
    """

    task: Task
    model: Model
    learner: Learner
    criterion: Criterion
    budget: int
    inspect_every: int = 100
    milestone: Criterion | None = None
    test_size: int = 2560

    def __post_init__(self):
        for name in ("budget", "inspect_every", "test_size"):
            _require_whole(name, getattr(self, name))
        _require_whole("batch", self.learner.batch)
        chunk = self.inspect_every * self.learner.batch
        if self.budget >= 2**31:
            raise ValueError(f"the budget must be below 2^31 sequences, not {self.budget}")
        if self.budget % chunk:
            raise ValueError(
                f"the budget must be a multiple of {chunk} sequences, not {self.budget}"
            )
        sizes = {c.inspection for c in (self.criterion, self.milestone) if c and c.inspection}
        if len(sizes) > 1:
            raise ValueError(f"criterion and milestone must inspect as many sequences: {sizes}")
        if sizes and isinstance(self.task, FiniteTask):
            both = self.task.n_train + self.task.n_test
            if sizes != {both}:
                raise ValueError(f"of fixed sets all {both} sequences are inspected, not {sizes}")
        for rule in (self.criterion, self.milestone):
            if isinstance(rule, Recent) and self.learner.batch > rule.window:
                batch = self.learner.batch
                raise ValueError(f"a batch of {batch} is longer than the rule's window")
        if isinstance(self.learner, Particular):
            self.learner.require_fit(self.task, self.model)

    @property
    def most_steps(self) -> int:
        """Time steps of a trial that uses up its budget, which of streams counts symbols."""
        each = 1 if isinstance(self.learner, OfStreams) else self.task.steps
        return self.budget * each


PLAIN = str, int, float, type(None)  # asked for first: whether something is an array takes long
SOURCE = "source"
"""Marks a field of a dataclass as the digest of a source."""
OF_LEARNER = ("clip", "strength")
"""Of the `Settings`, those that are for the learner; the others are for the cell."""


@dataclass(frozen=True)
class Settings:
    """Numbers that a search chooses, beside the rate; what is None is as the recipe has it.

    Experiments that give values to the same of them share a compiled program.

    Attributes:
        clip: largest norm of the gradient; infinite does not clip. Of a learner with another guard,
            that guard's threshold.
        memory: steps (low, high) between which the initial time constants of the cell's units lie
            (`models.cell.memory_bias`).
        scale: of the recurrent weights at the start.
        strength: of a remedy (`remedies.Remedied`): weight of the penalty, or largest momentum.
    """

    clip: float | None = None
    memory: tuple[float, float] | None = None
    scale: float | None = None
    strength: float | None = None

    def given(self) -> dict[str, float | tuple[float, float]]:
        """Those that have a value, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def columns(self) -> dict[str, float | None]:
        """All of them as columns of a row."""
        low, high = self.memory or (None, None)
        return {
            "clip": self.clip,
            "memory_low": low,
            "memory_high": high,
            "scale": self.scale,
            "strength": self.strength,
        }


@dataclass(frozen=True)
class Experiment:
    """A row of a suite.

    Attributes:
        task: label of the task in tables, without its delay.
        delay: the number that the task's difficulty is named after (T, or q of 2c).
        cell: label of the cell in tables.
        recipe: what is run.
        rate: learning rate.
        trials: number of trials.
        version: raised by hand when code changes what an unchanged experiment means.
        data_sets: number of different training sets over the trials of a task with fixed sets;
            0 draws one for each trial.
        settings: what a search has chosen beside the rate.
        lengths: how many times as long the sequences are that a solved network is also tested on;
            for tasks that can grow (`tasks.sequence.Growing`).
    """

    task: str
    delay: int
    cell: str
    recipe: Recipe
    rate: float
    trials: int
    version: int = 1
    data_sets: int = 0
    settings: Settings = Settings()
    lengths: tuple[int, ...] = ()

    def __post_init__(self):
        _ = self.digest  # now: a worker that gets the experiment has no source to read

    @property
    def name(self) -> str:
        """Unique in a suite, and the stem of the results file."""
        return f"{self.task}-{self.delay}.{self.cell}"

    @functools.cached_property
    def digest(self) -> str:
        """Identity of what was measured; rows with different digests are never mixed.

        The number of trials is not part of it: more trials of the same thing are the same thing.
        A user's classes count with their source, as it is when the experiment is made;
        so do settings of jax that change numbers, where they are not the usual ones.
        """
        identity: tuple = (self.recipe, self.rate, self.version, self.data_sets)
        # What was added later counts only where it is used: rows from before stay what they are.
        identity += tuple(self.settings.given().items())
        identity += (("lengths", self.lengths),) if self.lengths else ()
        return _hashed(describe(identity, own_source) + jax_settings())

    @property
    def recipe_digest(self) -> str:
        """Identity of what is run, at whatever rate and settings, whatever the user's source is."""
        return _hashed(describe((self.recipe, self.version, self.data_sets), bare=True))

    @property
    def chance(self) -> Chance:
        """What a constant output reaches on its task."""
        return self.recipe.task.chance


def _require_whole(name: str, number: Any) -> None:
    if not isinstance(number, Integral) or int(number) < 1:
        raise ValueError(f"{name} must be a whole number from 1 on, not {number}")


def _hashed(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    return hashlib.sha256(data).hexdigest()[:12]


def describe(thing, source: Callable[[object], str] = lambda code: "", bare: bool = False) -> str:
    """A canonical text of nested dataclasses, classes, functions, tuples and plain values.

    Args:
        thing: what to describe.
        source: a digest of a class or function that its name alone does not tell, or nothing.
        bare: whether fields that are a digest of a source (marked `SOURCE`) are left out.
    """
    if isinstance(thing, type | FunctionType):
        # Its own only: a subclass is another class than its parent.
        name = vars(thing).get("fingerprint", f"{thing.__module__}.{thing.__qualname__}")
        return name + source(thing)
    if isinstance(thing, functools.partial):
        parts = thing.func, thing.args, tuple(sorted(thing.keywords.items()))
        return f"partial{describe(parts, source, bare)}"
    if isinstance(thing, tuple):
        return "(" + ", ".join(describe(each, source, bare) for each in thing) + ")"
    if dataclasses.is_dataclass(thing):
        fields = (
            f"{field.name}={describe(getattr(thing, field.name), source, bare)}"
            for field in dataclasses.fields(thing)
            if field.compare and not (bare and SOURCE in field.metadata)
        )
        return f"{type(thing).__name__}{source(type(thing))}({', '.join(fields)})"
    if isinstance(thing, PLAIN):
        return repr(thing)
    if isinstance(thing, np.ndarray | jax.Array):  # whose text leaves most of a long one out
        return f"array({thing.dtype}, {thing.shape}, {_hashed(np.asarray(thing).tobytes())})"
    return repr(thing)
