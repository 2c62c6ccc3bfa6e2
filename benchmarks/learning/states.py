"""Trials in progress as plain arrays of the host, to go on with later, in another process too."""

from collections.abc import Container, Sequence
from typing import NamedTuple

import numpy as np

Key = tuple[str, int]
"""Which trial of a seed: the digest of its experiment and its number."""


class State(NamedTuple):
    """Trials as an inspection has left them.

    On a CPU a trial does not depend on those that train beside it, so states may be taken apart
    and put together as one likes.

    Attributes:
        keys: which trials.
        leaves: the leaves of their `program.Trial`, `[trial, ...]` each.
        seen: `[trial]`; training sequences so far.
        seconds: `[trial]`; time so far.
        points: of each trial the points of its learning curve so far.
    """

    keys: list[Key]
    leaves: list[np.ndarray]
    seen: np.ndarray
    seconds: np.ndarray
    points: list[list[dict]]

    def only(self, wanted: Container[Key]) -> "State":
        """Those of these trials that are in it."""
        chosen = [i for i, key in enumerate(self.keys) if key in wanted]
        return State(
            [self.keys[i] for i in chosen],
            [leaf[chosen] for leaf in self.leaves],
            self.seen[chosen],
            self.seconds[chosen],
            [self.points[i] for i in chosen],
        )


NONE = State([], [], np.zeros(0, int), np.zeros(0), [])
"""No trial at all."""


def joined(states: Sequence[State]) -> State:
    """All trials of states of one recipe; of a trial that several have, the furthest on.

    Raises:
        ValueError: they are of different recipes.
    """
    furthest: dict[Key, tuple[int, int]] = {}
    for number, state in enumerate(states):
        for key, seen in zip(state.keys, state.seen, strict=True):
            furthest[key] = max(furthest.get(key, (-1, 0)), (int(seen), number))
    parts = [
        state.only({key for key, (_, owner) in furthest.items() if owner == number})
        for number, state in enumerate(states)
    ]
    parts = [part for part in parts if part.keys]
    if not parts:
        return NONE
    return State(
        [key for part in parts for key in part.keys],
        [np.concatenate(leaves) for leaves in zip(*(p.leaves for p in parts), strict=True)],
        np.concatenate([part.seen for part in parts]),
        np.concatenate([part.seconds for part in parts]),
        [points for part in parts for points in part.points],
    )
