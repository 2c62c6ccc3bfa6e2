"""The space that the search draws its configurations from: numbers, the same for every cell.

What a cell is searched for beside the rate and clipping is what it says itself (`settings` in
`models.cell.Cell`): the initial time constant of its gates or the scale of its recurrent weights.
A learner with remedies is searched for their numbers, in place of clipping, and where it descends
the gradient as it is, at rates up to ten times as high.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import scipy

from benchmarks.learning.descents import ElementClip, NormClip, Plain, ScheduledNesterov, SkipLarge
from benchmarks.learning.experiment import Settings
from benchmarks.learning.learners import Adam, Learner
from benchmarks.learning.penalties import NormStabiliser, Omega
from benchmarks.learning.remedies import Remedied


@dataclass(frozen=True)
class LogUniform:
    """Numbers from low to high whose logarithm is uniform."""

    low: float
    high: float

    def at(self, u: float) -> float:
        """The number at a fraction u of the way, to four digits: what is printed is what ran."""
        return float(f"{self.low * (self.high / self.low) ** u:.4g}")

    def near_end(self, number: float) -> bool:
        """Whether it lies in the outer tenths, where a wider space might have a better one."""
        tenth = (self.high / self.low) ** 0.1
        return not self.low * tenth <= number <= self.high / tenth


# FIDELITY S5
RATE = LogUniform(3e-4, 0.1)
CLIP = (1.0, float("inf"))
SHORTEST = 2.0  # steps
LONGEST = 10  # times the delay
SCALE = LogUniform(0.5, 1.5)
# FIDELITY S13
PLAIN_RATE = LogUniform(1e-3, 1.0)
THRESHOLD: Mapping[type, LogUniform] = {
    NormClip: LogUniform(0.1, 10),
    ElementClip: LogUniform(0.01, 1),
    SkipLarge: LogUniform(1, 100),
}
STRENGTH: Mapping[type, LogUniform] = {
    Omega: LogUniform(0.1, 10),
    NormStabiliser: LogUniform(0.01, 100),
}
"""Of guards and of penalties."""
MOMENTUM = LogUniform(0.001, 0.1)  # what the largest one is below 1


ADAM = Adam()


class Configuration(NamedTuple):
    """What a search tries, and what it chooses."""

    rate: float
    settings: Settings


def rates(learner: Learner | str) -> LogUniform:
    """Learning rates that are tried with a learner, or with what a row says of it."""
    return PLAIN_RATE if f"descent={Plain()}" in str(learner) else RATE


def memory(delay: int) -> LogUniform:
    """Initial time constants that are tried at a delay, in steps."""
    return LogUniform(SHORTEST, LONGEST * delay)


def bounds(delay: int, learner: Learner | str) -> dict[str, LogUniform]:
    """Of each number that may be searched, the ends of what is tried.

    Args:
        delay: that of the task.
        learner: it, or what a row says of it.

    Returns:
        By name: rate, memory, scale, and what the learner has of threshold (of a guard), strength
        (of a penalty) and momentum (of the largest one, what it is below 1).
    """
    text = str(learner)
    threshold = [ends for kind, ends in THRESHOLD.items() if f"guard={kind.__name__}(" in text]
    strength = [ends for kind, ends in STRENGTH.items() if f"penalty={kind.__name__}(" in text]
    scheduled = f"descent={ScheduledNesterov.__name__}(" in text and not strength
    own = {"threshold": threshold, "strength": strength, "momentum": [MOMENTUM] * scheduled}
    usual = {"rate": rates(learner), "memory": memory(delay), "scale": SCALE}
    return usual | {name: ends for name, found in own.items() for ends in found}


def configurations(
    names: Sequence[str], delay: int, count: int, first: int = 0, learner: Learner = ADAM
) -> list[Configuration]:
    """Configurations number `first`, `first + 1`, ... for a cell with these settings.

    They are points of the Halton sequence (Halton 1960), which fills the space more evenly than
    random points do (Bergstra & Bengio 2012, section 5). All cells share rates and clipping, all
    learners but plain descent (`rates`) rates.

    Args:
        names: settings of the cell, of "memory" and "scale".
        delay: that of the task.
        count: number of configurations.
        first: number of the first one, from 0.
        learner: that of the recipe.
    """
    points = scipy.stats.qmc.Halton(d=5, scramble=False)
    points.fast_forward(1 + first)  # the origin is a corner of the space
    return [_configuration(names, delay, learner, *map(float, u)) for u in points.random(count)]


def longer(settings: Settings, factor: float) -> Settings:
    """Settings for a delay so many times as long: time constants grow with it.

    Where a range starts at the shortest one, it still does.
    """
    if settings.memory is None:
        return settings
    low, high = (float(f"{factor * steps:.4g}") for steps in settings.memory)
    return replace(settings, memory=(SHORTEST if settings.memory[0] == SHORTEST else low, high))


def _configuration(
    names: Sequence[str],
    delay: int,
    learner: Learner,
    u_rate: float,
    u_cell: float,
    u_kind: float,
    u_clip: float,
    u_strength: float,
) -> Configuration:
    drawn: dict[str, Any] = {name: START[name](delay, u_cell, u_kind) for name in names}
    drawn |= _learnt(learner, u_clip, u_strength)
    return Configuration(rates(learner).at(u_rate), Settings(**drawn))


def _learnt(learner: Learner, u_clip: float, u_strength: float) -> dict[str, float]:
    """Settings of a learner."""
    if not isinstance(learner, Remedied):
        return {"clip": CLIP[u_clip < 0.5]}
    found = {}
    if learner.guard:
        found["clip"] = THRESHOLD[type(learner.guard)].at(u_clip)
    if learner.penalty:
        found["strength"] = STRENGTH[type(learner.penalty)].at(u_strength)
    elif isinstance(learner.descent, ScheduledNesterov):
        found["strength"] = round(1 - MOMENTUM.at(u_strength), 7)
    return found


def _memory(delay: int, u: float, u_kind: float) -> tuple[float, float]:
    """One time constant for all units, or, as in chrono initialisation, all up to the longest."""
    longest = memory(delay).at(u)
    return (SHORTEST if u_kind < 0.5 else longest), longest


def _scale(delay: int, u: float, u_kind: float) -> float:
    """1 in half of the configurations: the usual start of all cells but the sparse net (1.1)."""
    del delay
    return 1.0 if u_kind < 0.5 else SCALE.at(u)


START: dict[str, Callable[[int, float, float], float | tuple[float, float]]] = {
    "memory": _memory,
    "scale": _scale,
}
"""How a setting of a cell follows from the delay and two numbers between 0 and 1."""
