"""Training by this project's own programs, as a case to be timed."""

from collections.abc import Callable
from dataclasses import dataclass

import jax

from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.lanes import Lanes, Run
from benchmarks.learning.program import setups
from benchmarks.learning.select import program

RATE = 1e-3  # of no consequence for the time, as long as nothing diverges


@dataclass(frozen=True)
class Ours:
    """Calls of the training program as the runner makes them.

    Attributes:
        recipe: what is trained.
        lanes: trials side by side.
        updates: updates of each trial in a call of the program.
        turns: how many sets of trials take the lanes in turn, a call of the program each.
        drawn: whether every call draws its sequences; otherwise all train on the first ones.
    """

    recipe: Recipe
    lanes: int
    updates: int
    turns: int = 1
    drawn: bool = False

    @property
    def amount(self) -> float:
        """Sequences that a call trains on, of all trials together."""
        return self.turns * self.lanes * self.updates * self.recipe.learner.batch

    def prepare(self) -> Callable[[], object]:
        """Fresh trials and their sequences."""
        run = program(self.recipe)
        rates = [RATE] * self.lanes
        setup = [setups(0, range(n, n + self.lanes), rates) for n in self._firsts()]
        trials = [run.start(each) for each in setup]
        count = self.updates * self.recipe.learner.batch

        def draw(turn: int):
            return run.source.training(setup[turn].key, trials[turn].seen, count, None)

        sequences = [draw(turn) for turn in range(self.turns)]

        def train() -> None:
            for turn in range(self.turns):
                given = draw(turn) if self.drawn else sequences[turn]
                trials[turn] = run.train(setup[turn], trials[turn], given)
            jax.block_until_ready(trials)

        return train

    def _firsts(self) -> range:
        """Number of the first trial of each turn."""
        return range(0, self.turns * self.lanes, self.lanes)


@dataclass(frozen=True)
class FirstBlock:
    """All that the runner does until the first block of an experiment is trained; then the blocks.

    The first call compiles, so that the difference to the second is the time that compiling takes.
    """

    experiment: Experiment

    amount = 1

    def prepare(self) -> Callable[[], object]:
        """Nothing compiled is left of earlier experiments."""
        jax.clear_caches()
        lanes: list[Lanes] = []

        def call() -> None:
            if lanes:
                lanes[0].block()
            else:
                lanes.append(Lanes(0, [Run(self.experiment, 0)]))

        return call
