"""What all minibatch learners that are compared train: adding, a cell, a batch."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np

from benchmarks.learning.criteria import Inspection
from benchmarks.learning.experiment import Recipe
from benchmarks.learning.learners import Adam
from benchmarks.learning.program import TRAIN, setups, source
from benchmarks.speed.ours import RATE
from benchmarks.suites.cells import EVERY
from models.network import Recurrent
from tasks.adding import Adding

CLIP = Adam().clip


class Sequences(NamedTuple):
    """A batch for each of some trials.

    Attributes:
        inputs: `[trial, batch, T, n_in]` float32, with T the longest length there can be.
        targets: `[trial, batch, n_out]` float32, at the last step.
        last: `[trial, batch]` int64, number of the last step.
    """

    inputs: np.ndarray
    targets: np.ndarray
    last: np.ndarray


@dataclass(frozen=True)
class Work:
    """A net on the adding problem, batch by batch.

    Attributes:
        cell: label of the cell.
        hidden: units.
        delay: T.
        batch: sequences in an update.
    """

    cell: str
    hidden: int
    delay: int
    batch: int

    @property
    def recipe(self) -> Recipe:
        """The same as a recipe of our own program."""
        return Recipe(
            Adding(self.delay),
            Recurrent(EVERY[self.cell], self.hidden),
            Adam(self.batch, CLIP),
            Inspection(1, wrong_at_most=0),
            budget=100 * self.batch,
        )

    def sequences(self, trials: int) -> Sequences:
        """The first batch that our own program trains each trial on."""
        keys = setups(0, range(trials), [RATE] * trials).key
        first = np.zeros(trials, np.int32)
        drawn = source(Adding(self.delay)).fresh(keys, TRAIN, first, self.batch)
        drawn = jax.tree.map(np.asarray, drawn)
        last = drawn.length.astype(np.int64) - 1
        targets = np.take_along_axis(drawn.targets, last[..., None, None], 2)[:, :, 0]
        return Sequences(drawn.inputs, targets, last)
