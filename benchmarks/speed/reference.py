"""The C++ yardstick `benchmarks/speed/adding97.cpp` as a case to be timed."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.timing import MissingError

SOURCE = Path(__file__).parent / "adding97.cpp"
OPTIONS = ("-O3", "-march=native", "-ffast-math")
WIDTH = 16  # trials in a vector


def compiler() -> str | None:
    """The system's C++ compiler, None where there is none."""
    return next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)


@dataclass(frozen=True)
class Reference:
    """The 1997 learner on adding, data generation included.

    Attributes:
        delay: T.
        vectors: sets of `WIDTH` trials.
        sequences: sequences that each trial trains on in a call, at least 10.
    """

    delay: int
    vectors: int
    sequences: int

    @property
    def amount(self) -> float:
        """Sequences that a call trains on, of all trials together."""
        return WIDTH * self.vectors * self.sequences

    def prepare(self) -> Callable[[], object]:
        """Builds it in a temporary folder that lives as long as the result.

        Raises:
            MissingError: there is no compiler, or it cannot build it.
        """
        if not compiler():
            raise MissingError("no C++ compiler")
        folder = tempfile.TemporaryDirectory()
        program = Path(folder.name) / "adding97"
        try:
            _call(compiler(), *OPTIONS, SOURCE, "-o", program)
        except subprocess.CalledProcessError as error:
            raise MissingError("the C++ compiler cannot build it") from error

        def train(alive=folder) -> None:
            del alive  # the folder goes when this function does
            _call(program, self.delay, self.sequences, self.vectors)

        return train


def _call(*command) -> None:
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
