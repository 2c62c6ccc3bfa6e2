"""Trained networks on disk: a file with the weights of each trial, by their names."""

import io
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx

from benchmarks.errors import UsageError
from benchmarks.running import files

FOLDER = "weights"


def path_of(row: Any, folder: Path) -> Path:
    """The file of a row's network."""
    name = f"{row['digest']}-{row['seed']}-{row['trial']}.npz"
    return folder / FOLDER / str(row["experiment"]) / name


def write(folder: Path, row: dict, weights: dict[str, np.ndarray]) -> None:
    """Keeps the weights of a trial beside its row.

    Raises:
        UsageError: the folder cannot be written.
    """
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **weights)
    files.write(path_of(row, folder), file.getvalue())


def read(folder: Path, row: Any, network: nnx.Module) -> nnx.Module:
    """A network of the same structure with the weights of a trial.

    Args:
        folder: that of the row.
        row: of the trial; a mapping, or a row of a DataFrame.
        network: the structure, without numbers or with any.

    Raises:
        UsageError: there are no such weights, or they are of another network.
    """
    path = path_of(row, folder)
    if not path.exists():
        raise UsageError(f"no network in {path}; rows have one if they were made to keep weights")
    graph, params = nnx.split(network, nnx.Param)
    flat = dict(nnx.to_flat_state(params))
    names = {".".join(map(str, place)): place for place in flat}
    with np.load(path, allow_pickle=False) as file:
        weights = {names.get(name, name): file[name] for name in file}
    if {place: leaf.shape for place, leaf in flat.items()} != {
        place: leaf.shape for place, leaf in weights.items()
    }:
        raise UsageError(f"{path} is of another network than {row['experiment']} has")
    for place, leaf in flat.items():
        kind = leaf.dtype
        # NumPy alone forgets the names of small floats.
        flat[place] = leaf.replace(jnp.asarray(weights[place].view(kind)))
    return nnx.merge(graph, nnx.from_flat_state(list(flat.items())))
