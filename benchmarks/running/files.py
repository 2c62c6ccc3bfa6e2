"""Files on disk: written whole or not at all, by one process at a time, no device by mistake."""

import contextlib
import errno
import functools
import glob
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout, lock_descriptor

from benchmarks.errors import UsageError

LOCK_SECONDS = 60  # a file is held for as long as it takes to write it
STALE_SECONDS = 3600  # no file takes so long to write
LONGEST_NAME = 240  # bytes; a file system takes 255, and temporary names are longer

LOCAL_LOCKS = {"nolock", "localflock", "local_lock=all", "local_lock=flock"}
"""Options of mounts of network folders whose locks other machines do not see."""


def write(path: Path, content: str | bytes) -> None:
    """Writes a whole file in one step; what a symbolic link leads to, not the link.

    A character device or a named pipe is written into.

    Raises:
        UsageError: it cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if _takes_bytes(path):
            _pour(path, data)
        else:
            _replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        raise unwritable(path.parent, error) from error


def _takes_bytes(path: Path) -> bool:
    """Whether it is a device or pipe to write into; other things that are no files are refused."""
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISDIR(kind):
        raise UsageError(f"{short(path)} is a folder; name a file in it")
    if stat.S_ISBLK(kind) or stat.S_ISSOCK(kind):
        raise UsageError(f"{short(path)} is not a file; name one")
    return not stat.S_ISREG(kind)


def _pour(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK)  # of a pipe that nobody reads: an error
    os.set_blocking(handle, True)
    with open(handle, "wb") as file:
        file.write(data)


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path, STALE_SECONDS)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _sweep(path: Path, seconds: float) -> None:
    """Removes the temporary files that killed processes have left beside a file."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.????????"):
        with contextlib.suppress(OSError):
            if time.time() - left.lstat().st_mtime >= seconds:
                left.unlink()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other processes from changing a file; a killed one lets go of it.

    Raises:
        UsageError: another process does not let go of it, or its folder has no locks.
    """
    place = path.parent / ".locks" / f"{path.name}.lock"
    lock = FileLock(place, timeout=LOCK_SECONDS, mode=0o666, fallback_to_soft=False)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise UsageError(
            f"another process has held {short(path)} for {LOCK_SECONDS} seconds; "
            "wait for it, or choose another folder"
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK):
            raise _without_locks(path.parent) from error
        raise unwritable(path.parent, error) from error
    try:
        _require_held(place)
        _sweep(path, 0)
        yield
    finally:
        lock.release()


def _require_held(place: Path) -> None:
    """Tries to take a lock a second time: some folders give it to everybody.

    Raises:
        UsageError: this is one.
    """
    with open(place, "rb+") as again:
        if lock_descriptor(again.fileno(), blocking=False) or locks_are_local(place.parent):
            raise _without_locks(place.parent.parent)


@functools.cache
def locks_are_local(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Whether a folder is shared by machines that do not see each other's locks."""
    if not mounts.exists():
        return False
    lines = [line.split() for line in mounts.read_text("utf-8", "replace").splitlines()]
    parents = {str(each).replace(" ", "\\040") for each in (folder / "x").resolve().parents}
    own = [line for line in lines if line[1] in parents]
    if not own:
        return False
    _, _, kind, options, *_ = max(own, key=lambda line: len(line[1]))
    return kind == "fuse.sshfs" or bool(LOCAL_LOCKS & set(options.split(",")))


def _without_locks(folder: Path) -> UsageError:
    return UsageError(
        f"{short(folder)} has no file locks, so that two processes could overwrite each other's "
        "rows; choose another folder with --out"
    )


def read(path: Path) -> bytes | None:
    """What is in a file; None if there is none.

    Raises:
        UsageError: it cannot be read, or is not a file: reading a device might never end.
    """
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise UsageError(f"{short(path)}: the name is too long for a file")
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{short(path)} is not a file")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"cannot read {short(path)} ({error.strerror})") from error


def require_writable(folder: Path) -> None:
    """Fails early, before any training, if results could not be kept.

    Raises:
        UsageError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise unwritable(folder, error) from error


def require_lockable(folder: Path) -> None:
    """As `require_writable`, for a folder into which several processes may write.

    Raises:
        UsageError: the folder cannot be written, or has no locks.
    """
    require_writable(folder)
    with locked(folder / "folder"):
        pass


def require_file(path: Path) -> None:
    """Fails early if a file could not be written.

    Raises:
        UsageError: it is a folder, or it cannot be written.
    """
    try:
        if not _takes_bytes(path):
            require_writable(Path(os.path.realpath(path)).parent)
        elif not os.access(path, os.W_OK):
            raise UsageError(f"cannot write {short(path)}; choose another file")
    except OSError as error:
        raise unwritable(path.parent, error) from error


def unwritable(folder: Path, error: OSError) -> UsageError:
    """The error that a folder cannot be written."""
    return UsageError(
        f"cannot write results to {short(folder)} ({error.strerror}); choose another folder"
    )


def short(path: Path | str) -> str:
    """A path for a message, cut where it is longer than anyone would read."""
    text = str(path)
    return text if len(text) <= 200 else f"{text[:100]}...{text[-80:]}"
