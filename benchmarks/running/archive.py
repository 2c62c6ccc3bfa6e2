"""Arrays by name in one file, NumPy's .npz: what is read is whole, or refused."""

import io
from collections.abc import Mapping

import numpy as np


def packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The content of such a file."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpacked(data: bytes) -> dict[str, np.ndarray]:
    """The arrays in the content of a file.

    Raises:
        ValueError: it is cut, changed, or of another kind.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return dict(file)
    except Exception as error:  # NumPy, zipfile and zlib have a dozen kinds for it
        raise ValueError(str(error) or type(error).__name__) from error
