import errno
import os
import stat
import subprocess
import sys
import threading
import time

import pytest

from benchmarks.errors import UsageError
from benchmarks.running import files


def test_a_failing_disk_leaves_the_old_file_whole_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    files.write(path, "old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        files.write(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.csv"]


def test_a_folder_that_is_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write results"):
        files.require_writable(tmp_path / "file" / "trials")
    with pytest.raises(UsageError, match="choose another folder"):
        files.write(tmp_path / "file" / "a.csv", "text")


def test_a_symbolic_link_stays_one_and_what_it_leads_to_is_written(tmp_path):
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_text("old")
    link.symlink_to(target)
    files.require_file(link)
    files.write(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_device_stays_one(tmp_path):
    null = tmp_path / "null"
    try:
        os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        files.write(null, "text")
    except (PermissionError, UsageError):
        pytest.skip("only root makes devices, and not everywhere")
    assert stat.S_ISCHR(null.stat().st_mode)
    files.require_file(null)


def test_a_named_pipe_is_written_into(tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="cannot write"):
        files.write(pipe, "nobody reads")
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    deadline = time.monotonic() + 20
    while not got and time.monotonic() < deadline:
        try:
            files.write(pipe, "text")
            break
        except UsageError:
            time.sleep(0.01)  # the reader has not opened it yet
    reader.join(20)
    assert got == ["text"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/zero", "pipe", "folder", "link"])
def test_what_is_no_file_is_not_read(name, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="is not a file"):
        files.read(tmp_path / name)


@pytest.mark.parametrize("length", [241, 300, 5000])
def test_a_path_that_is_too_long_is_one_short_line(length, tmp_path):
    path = tmp_path / ("a" * length)
    for act in (
        files.read,
        files.require_file if length > 255 else files.read,
        lambda path: files.write(path / "b.csv", "x") if length > 255 else files.read(path),
    ):
        with pytest.raises(UsageError) as caught:
            act(path)
        assert len(str(caught.value)) < 400
        assert "\n" not in str(caught.value)


def test_what_dead_runs_have_left_is_swept(tmp_path):
    path = tmp_path / "a[1].csv"
    files.write(path, "old")
    left, other = tmp_path / ".a[1].csv.abcd_123", tmp_path / ".other.csv.abcd_123"
    for each in (left, other):
        each.write_text("half")
    files.write(path, "another process might be writing just now")
    assert left.exists()
    os.utime(left, (0, 0))
    files.write(path, "nobody writes for so long")
    assert not left.exists()
    left.write_text("half")
    with files.locked(path):  # so nobody else can be writing
        assert not left.exists()
    assert other.exists()


HOLDING = """
import sys, time
from pathlib import Path
from benchmarks.running import files
with files.locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(100)
"""


def test_a_lock_is_waited_for_and_falls_with_its_process(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDING, path], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        monkeypatch.setattr(files, "LOCK_SECONDS", 0.2)
        with (
            pytest.raises(UsageError, match=r"has held .* for 0.2 seconds; wait"),
            files.locked(path),
        ):
            pytest.fail("held twice")
    finally:
        holder.kill()
        holder.communicate()
    monkeypatch.setattr(files, "LOCK_SECONDS", 20)
    with files.locked(path):
        pass


def everybody_gets_it(*_):
    """As on some network folders."""


def nobody_gets_it(*_):
    raise OSError(errno.ENOLCK, "No locks available")


@pytest.mark.parametrize("flock", [everybody_gets_it, nobody_gets_it])
def test_a_folder_without_locks_is_refused(flock, tmp_path, monkeypatch):
    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(UsageError, match=r"has no file locks, .* choose another folder"):
        files.require_lockable(tmp_path)


@pytest.mark.parametrize(
    ("kind", "options", "local"),
    [
        ("nfs", "rw,vers=3,nolock,local_lock=all", True),
        ("nfs4", "rw,relatime,local_lock=none", False),
        ("fuse.sshfs", "rw,nosuid", True),
        ("lustre", "rw,localflock", True),
        ("ext4", "rw", False),
    ],
)
def test_locks_that_other_machines_do_not_see(kind, options, local, tmp_path):
    folder, mounts = tmp_path / "with blank", tmp_path / "mounts"
    place = str(folder).replace(" ", "\\040")
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nhost:/x {place} {kind} {options} 0 0\n")
    assert files.locks_are_local(folder / "trials", mounts) == local
