"""Checkpoints: the latest states of unfinished trials on disk, so that a kill costs a minute.

`checkpoints/` beside the rows holds a file for each part of a job. How trials are shared out
depends on what is missing, so a run looks for its trials in all files, and files say what they
hold.
"""

import contextlib
import hashlib
import time
from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.errors import IncompleteError, UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.lanes import Run
from benchmarks.learning.provenance import code
from benchmarks.learning.states import Key, State, joined
from benchmarks.running import files
from benchmarks.running.checkpoint_file import Saved, UnreadableError, packed, read
from benchmarks.running.jobs import Part

FOLDER = "checkpoints"
EVERY = 30.0
"""Seconds between two writings. What is written is at most as old as `jobs.MOST_PAUSE` and a block
of training together, so that a kill costs less than two minutes."""
STALE = 600.0  # seconds after which nobody is still writing a file


class Checkpoints:
    """The checkpoints of a run: those that it finds, and those that it writes."""

    def __init__(self, folder: Path, seed: int, experiments: Sequence[Experiment], out: Console):
        """`folder`: of the rows; `experiments`: all of the run; `out`: for what there is to say."""
        self.home, self.folder, self.seed, self.out = folder, folder / FOLDER, seed, out
        self.experiments = {each.digest: each for each in experiments}
        self.made_by: dict[str, str] = {}
        self._found: list[Saved] = []
        self._held: dict[Path, set[Key]] = {}  # what older files hold and nothing else does yet
        self._parts: dict[Path, Part] = {}
        self._written: dict[Path, State] = {}
        self._due, self._failing = time.monotonic() + EVERY, False

    def find(self, missing: Iterable[Run], finished: Container[Key]) -> None:
        """Looks for trials; says which checkpoints may not be used, and removes them.

        Args:
            missing: those that are to be run.
            finished: those that have rows. All others, which somebody may still want, are left.
        """
        keys = {run.key for run in missing}
        self._sweep()
        for path, saved in self._readable():
            if not self._fits(path, saved):
                continue
            mine = saved.state.only(keys)
            if mine.keys:  # else it is another shard's
                self._found.append(saved._replace(state=mine))
            if all(key in finished for key in set(saved.state.keys) - keys):
                self._held[path] = set(mine.keys)
        self._forget([])

    def start(self, parts: Iterable[Part], device: str) -> None:
        """Gives parts of jobs what was found of their trials; from here on they are saved."""
        self.made_by = code() | {"device": device}
        fitting = [each.state for each in self._found if each.made_by["device"] == device]
        if len(fitting) < len(self._found):
            self._say("Checkpoints of another device are not used; their trials start anew.")
        for part in parts:
            keys = {run.key for run in part.runs}
            part.state = joined([state.only(keys) for state in fitting])
            self.add(part)
            if part.state.keys:
                self._say(f"{', '.join(part.names)}: {len(part.state.keys)} trials go on.")

    def add(self, part: Part) -> None:
        """From here on this part is saved, too."""
        self._parts[self._path(run.key for run in part.runs)] = part

    def follow(self, finished: Iterable[Key], now: bool = False) -> None:
        """Forgets trials whose rows are on disk, and saves what is new of the others.

        A disk that takes no checkpoint may still take rows, so training goes on without.

        Args:
            finished: which trials.
            now: whether to save even if the latest writing is not long ago.

        Raises:
            IncompleteError: the folder of the rows is no longer there.
        """
        self._forget(finished)
        if now or time.monotonic() >= self._due:
            for path, part in self._parts.items():
                if part.state.keys and part.state is not self._written.get(path):
                    self._write(path, part.state)
            self._due = time.monotonic() + EVERY

    def _write(self, path: Path, state: State) -> None:
        if not self.home.is_dir():
            raise IncompleteError(f"{self.home} has been removed while it was written to")
        names = {digest: self.experiments[digest].name for digest, _ in state.keys}
        try:
            files.write(path, packed(Saved(self.made_by, self.seed, names, state)))
        except UsageError as error:
            if not self._failing:
                self._say(f"The state of unfinished trials is not saved: {error}.")
            self._failing = True
            return
        self._failing, self._written[path] = False, state
        self._held.pop(path, None)
        self._forget(state.keys)

    def _forget(self, keys: Iterable[Key]) -> None:
        """Removes files that are not needed once these trials are kept elsewhere."""
        for held in self._held.values():
            held -= set(keys)
        for path in [path for path, held in self._held.items() if not held]:
            del self._held[path]
            _remove(path)
        for path in [path for path, part in self._parts.items() if not part.runs]:
            del self._parts[path]
            _remove(path)

    def _readable(self) -> Iterator[tuple[Path, Saved]]:
        for path in sorted(self.folder.glob("*.npz")):
            try:
                yield path, read(path)
            except UnreadableError as error:
                if not path.exists():  # another run has just finished its trials
                    continue
                self._say(f"{path} cannot be read ({error}); its trials start anew.")
                _remove(path)

    def _fits(self, path: Path, saved: Saved) -> bool:
        """Whether a file is of this run; says why not, where it seems to be."""
        if saved.seed != self.seed:
            return False
        mine = {saved.names[digest] for digest in saved.names.keys() & self.experiments.keys()}
        if not mine:
            names = {each.name for each in self.experiments.values()}
            for name in sorted(names.intersection(saved.names.values())):
                self._say(f"{name}: a checkpoint is of another definition, and is not used.")
            return False
        differ = [name for name, text in code().items() if saved.made_by.get(name) != text]
        if differ:
            whose, other = ", ".join(sorted(mine)), ", ".join(differ)
            self._say(f"{whose}: a checkpoint is of another {other}; its trials start anew.")
            _remove(path)
        return not differ

    def _path(self, keys: Iterable[Key]) -> Path:
        identity = repr((self.seed, sorted(keys)))
        return self.folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.npz"

    def _sweep(self) -> None:
        """Removes what a kill in the midst of a writing has left."""
        for path in self.folder.glob(".*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < time.time() - STALE:
                    path.unlink()

    def _say(self, text: str) -> None:
        self.out.print(text, highlight=False, markup=False, soft_wrap=True)


def _remove(path: Path) -> None:
    """Removes a file, and its folder if nothing else is in it."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        path.parent.rmdir()
