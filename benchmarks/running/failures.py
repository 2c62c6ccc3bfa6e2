"""Experiments that could not be run, recorded beside the rows until they are."""

from collections.abc import Iterable
from pathlib import Path

from benchmarks.errors import one_line
from benchmarks.running import files

FOLDER = "failed"


def record(folder: Path, name: str, reason: str, traceback: str) -> Path:
    """Records why an experiment has failed, and returns the file that tells.

    Raises:
        UsageError: the folder cannot be written.
    """
    path = folder / FOLDER / f"{name}.txt"
    files.write(path, f"{reason}\n\n{traceback}".strip() + "\n")
    return path


def forget(folder: Path, names: Iterable[str]) -> None:
    """Forgets what has failed of these experiments, which are about to be run again."""
    for name in names:
        (folder / FOLDER / f"{name}.txt").unlink(missing_ok=True)


def read(folder: Path) -> dict[str, str]:
    """Why experiments have failed, by name; whatever the files hold, a line of text.

    Raises:
        UsageError: one cannot be read.
    """
    paths = sorted((folder / FOLDER).glob("*.txt"))
    return {path.stem: _reason(files.read(path) or b"") for path in paths}


def texts(folder: Path) -> list[str]:
    """All that was recorded of each failed experiment, its traceback too."""
    paths = sorted((folder / FOLDER).glob("*.txt"))
    return [(files.read(path) or b"").decode("utf-8", "replace").strip() for path in paths]


def _reason(record: bytes) -> str:
    return one_line(record.partition(b"\n")[0].decode("utf-8", "replace"))
