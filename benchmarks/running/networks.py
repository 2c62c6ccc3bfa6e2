"""Trained networks on disk: a file with the weights of each trial, by their names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx

from benchmarks.errors import UsageError
from benchmarks.running import archive, files
from benchmarks.running.guarded import oneline

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
    files.write(path_of(row, folder), archive.packed(weights))


def read(folder: Path, row: Any, network: nnx.Module) -> nnx.Module:
    """A network of the same structure with the weights of a trial.

    Args:
        folder: that of the row.
        row: of the trial; a mapping, or a row of a DataFrame.
        network: the structure, without numbers or with any.

    Raises:
        UsageError: there are no such weights, they are of another network, or the file is damaged.
    """
    path = path_of(row, folder)
    found = _read(path)
    graph, params = nnx.split(network, nnx.Param)
    flat = dict(nnx.to_flat_state(params))
    names = {".".join(map(str, place)): place for place in flat}
    weights = {names.get(name, name): numbers for name, numbers in found.items()}
    if _forms(flat) != _forms(weights):
        raise UsageError(f"{files.short(path)} is of another network than {row['experiment']} has")
    for place, leaf in flat.items():
        # NumPy alone forgets the names of small floats.
        flat[place] = leaf.replace(jnp.asarray(weights[place].view(leaf.dtype)))
    return nnx.merge(graph, nnx.from_flat_state(list(flat.items())))


def _read(path: Path) -> dict[str, np.ndarray]:
    """The arrays in a file of weights, by their names."""
    data = files.read(path)
    if data is None:
        raise UsageError(
            f"no network in {files.short(path)}; rows have one if they were made to keep weights"
        )
    try:
        return archive.unpacked(data)
    except ValueError as error:
        raise UsageError(
            f"{files.short(path)} is damaged ({oneline(error)}); only another copy, or training "
            "its trial again in another folder, brings it back"
        ) from error


def _forms(arrays: Mapping[Any, Any]) -> dict[Any, tuple[tuple[int, ...], int]]:
    """Shapes, and bytes of a number, of arrays by name."""
    return {name: (array.shape, array.dtype.itemsize) for name, array in arrays.items()}
