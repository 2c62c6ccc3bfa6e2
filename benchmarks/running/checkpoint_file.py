"""The file of a checkpoint.

NumPy's format is one file that is replaced in one step, in thirty lines. Orbax, which comes with
flax, writes a folder of many files, and its import takes longer than all that is saved in an hour.
"""

import json
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from benchmarks.learning.states import State
from benchmarks.running import archive


class Saved(NamedTuple):
    """What a file holds.

    Attributes:
        made_by: code, versions, flags and device, by name.
        seed: of the run.
        names: of the experiments, by digest.
        state: of the trials.
    """

    made_by: dict[str, str]
    seed: int
    names: dict[str, str]
    state: State


class UnreadableError(Exception):
    """A file is not a whole checkpoint."""


def packed(saved: Saved) -> bytes:
    """The content of a file: arrays as they are, all else as JSON."""
    state = saved.state
    head = {
        "made_by": saved.made_by,
        "seed": saved.seed,
        "names": saved.names,
        "keys": state.keys,
        "points": state.points,
        "kinds": [leaf.dtype.name for leaf in state.leaves],
    }
    arrays = {f"leaf{i}": leaf for i, leaf in enumerate(state.leaves)}
    arrays |= {"seen": state.seen, "seconds": state.seconds}
    arrays["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
    return archive.packed(arrays)


def read(path: Path) -> Saved:
    """What a file holds.

    Raises:
        UnreadableError: it is cut, changed, or of another kind.
    """
    try:
        file = archive.unpacked(path.read_bytes())
        head = json.loads(file["head"].tobytes())
        kinds = [jnp.dtype(name) for name in head["kinds"]]  # NumPy alone forgets bfloat16
        leaves = [file[f"leaf{i}"].view(kind) for i, kind in enumerate(kinds)]
        keys = [(str(digest), int(index)) for digest, index in head["keys"]]
        state = State(keys, leaves, file["seen"], file["seconds"], head["points"])
        return Saved(head["made_by"], head["seed"], head["names"], state)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UnreadableError(str(error)) from error
