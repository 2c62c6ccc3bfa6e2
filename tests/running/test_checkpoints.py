"""What is saved of unfinished trials, what of it is used, and when it goes."""

import io
import os
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from rich.console import Console

from benchmarks.errors import IncompleteError
from benchmarks.learning.lanes import Run
from benchmarks.learning.states import NONE, State
from benchmarks.running import checkpoint_file, checkpoints
from benchmarks.running.checkpoint_file import UnreadableError, packed, read
from benchmarks.running.checkpoints import Checkpoints
from benchmarks.running.jobs import Part
from tests.support.tiny import EXPERIMENT

OTHER = replace(EXPERIMENT, cell="gru", rate=0.5)
RUNS = [Run(EXPERIMENT, i) for i in range(EXPERIMENT.trials)]


def state(runs, seen=5):
    count = len(runs)
    leaves = [np.arange(count) + 100 * seen, np.full((count, 2), 0.1, np.float32)]
    points = [[{"sequences": seen, "error": float("nan")}]] * count
    return State([r.key for r in runs], leaves, np.full(count, seen), np.full(count, 0.5), points)


class Saving:
    """A run's checkpoints, and what they say."""

    def __init__(
        self, folder, runs, experiments=(EXPERIMENT,), seed=0, device="cpu", finished=None
    ):
        self.said = io.StringIO()
        console = Console(file=self.said, width=1000)
        self.checkpoints = Checkpoints(folder, seed, experiments, console)
        keys = {run.key for run in runs}
        trials = {(each.digest, i) for each in experiments for i in range(each.trials)}
        self.checkpoints.find(runs, trials - keys if finished is None else finished)
        self.device, self.parts = device, []

    def start(self, *jobs):
        self.parts = [Part(0, list(job)) for job in jobs]
        self.checkpoints.start(self.parts, self.device)
        return [dict(zip(p.state.keys, p.state.seen.tolist(), strict=True)) for p in self.parts]

    def saved(self, *seen):
        """Saves that these parts are so far."""
        for part, number in zip(self.parts, seen, strict=True):
            part.state = state(part.runs, number)
        self.checkpoints.follow([], now=True)


def files(folder):
    return sorted((folder / "checkpoints").glob("*"))


def at(runs, seen):
    return dict.fromkeys((run.key for run in runs), seen)


def test_a_file_holds_everything_to_the_last_bit(tmp_path):
    half = np.asarray(jnp.array([[0.1, 2.0], [-3.0, 1e30]], jnp.bfloat16))
    leaves = [half, np.array([True, False]), np.array([-0.0, np.nan]), np.zeros((2, 0, 3), np.int8)]
    points = [[], [{"sequences": 3, "wrong": 0.1, "error": float("inf")}]]
    made = State([("a", 1), ("b", 0)], leaves, np.array([1, 2]), np.array([0.1, 0.2]), points)
    saved = checkpoint_file.Saved({"jax": "1"}, 7, {"a": "one", "b": "two"}, made)
    path = tmp_path / "a.npz"
    path.write_bytes(packed(saved))
    found = read(path)
    assert found[:3] == saved[:3]
    assert (found.state.keys, found.state.points) == (made.keys, made.points)
    for mine, theirs in zip(
        [*found.state.leaves, found.state.seen, found.state.seconds],
        [*leaves, made.seen, made.seconds],
        strict=True,
    ):
        assert mine.dtype == theirs.dtype
        assert mine.shape == theirs.shape
        assert mine.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("what", ["cut", "flipped", "text", "empty", "pickle"])
def test_what_is_no_whole_checkpoint_is_told_from_one(tmp_path, what):
    content = packed(checkpoint_file.Saved({}, 0, {EXPERIMENT.digest: "x"}, state(RUNS)))
    pickled = io.BytesIO()
    np.savez(pickled, head=np.array([{}], object))
    flipped = bytearray(content)
    flipped[content.index(b"leaf0.npy") + 150] ^= 1
    path = tmp_path / "checkpoints" / "a.npz"
    path.parent.mkdir()
    path.write_bytes(
        {
            "cut": content[:-100],
            "flipped": bytes(flipped),
            "text": b"nonsense",
            "empty": b"",
            "pickle": pickled.getvalue(),
        }[what]
    )
    with pytest.raises(UnreadableError):
        read(path)
    saving = Saving(tmp_path, RUNS)
    assert "cannot be read" in saving.said.getvalue()
    assert saving.start(RUNS) == [{}]
    assert not path.parent.exists()


def test_a_run_finds_its_trials_however_they_are_shared_out(tmp_path):
    first = Saving(tmp_path, RUNS)
    first.start(RUNS[::2], RUNS[1::2])
    assert files(tmp_path) == []
    first.saved(5, 7)
    assert len(files(tmp_path)) == 2
    left = RUNS[1:]  # number 0 has got its row meanwhile
    second = Saving(tmp_path, left)
    assert second.start(left[:3], left[3:]) == [
        {RUNS[1].key: 7, RUNS[2].key: 5, RUNS[3].key: 7},
        {RUNS[4].key: 5, RUNS[5].key: 7},
    ]
    assert "3 trials go on" in second.said.getvalue()
    old = files(tmp_path)
    second.parts[1].state = state(left[3:], 9)
    second.checkpoints.follow([], now=True)
    assert len(files(tmp_path)) == 2  # those in place of the old ones, which are held elsewhere
    assert not set(files(tmp_path)) & set(old)
    third = Saving(tmp_path, left)
    assert third.start(left) == [at(left[:3:2], 7) | at(left[1:2], 5) | at(left[3:], 9)]


def test_a_checkpoint_goes_when_its_trials_are_finished(tmp_path):
    saving = Saving(tmp_path, RUNS)
    saving.start(RUNS[:3], RUNS[3:])
    saving.saved(5, 5)
    one, two = saving.parts
    one.runs = one.runs[1:]
    saving.checkpoints.follow([RUNS[0].key])
    assert len(files(tmp_path)) == 2
    one.runs = []
    saving.checkpoints.follow([run.key for run in RUNS[1:3]])
    assert len(files(tmp_path)) == 1
    two.runs = []
    saving.checkpoints.follow([run.key for run in RUNS[3:]])
    assert not (tmp_path / "checkpoints").exists()


def test_older_files_go_when_their_trials_are_finished_or_were(tmp_path):
    saving = Saving(tmp_path, RUNS)
    saving.start(RUNS)
    saving.saved(5)
    later = Saving(tmp_path, RUNS[4:])
    later.start(RUNS[4:])
    later.checkpoints.follow([RUNS[4].key])
    assert len(files(tmp_path)) == 1
    later.checkpoints.follow([RUNS[5].key])
    assert files(tmp_path) == []
    saving.parts[0].state = state(RUNS)
    saving.checkpoints.follow([], now=True)
    Saving(tmp_path, [])  # all of them have rows
    assert files(tmp_path) == []


def test_what_others_may_still_want_stays(tmp_path):
    both = [Run(EXPERIMENT, 0), Run(OTHER, 0)]
    saving = Saving(tmp_path, both, (EXPERIMENT, OTHER))
    saving.start(both)
    saving.saved(5)
    mine = Saving(tmp_path, both[:1])  # of one experiment only
    assert mine.start(both[:1]) == [at(both[:1], 5)]
    mine.parts[0].runs = []
    mine.checkpoints.follow([both[0].key])
    assert Saving(tmp_path, both[1:], (EXPERIMENT, OTHER)).start(both[1:]) == [at(both[1:], 5)]
    less = replace(EXPERIMENT, trials=3)
    first = Saving(tmp_path, RUNS)
    first.start(RUNS)
    first.saved(8)
    Saving(tmp_path, [], (less,))  # trials 3 to 5 are not asked for now
    assert Saving(tmp_path, RUNS[3:]).start(RUNS[3:]) == [at(RUNS[3:], 8)]
    assert Saving(tmp_path, RUNS, seed=1).start(RUNS) == [{}]
    shard = Saving(tmp_path, RUNS[3:5], finished={run.key for run in RUNS[:3]})  # 5 is another's
    shard.start(RUNS[3:5])
    shard.parts[0].runs = []
    shard.checkpoints.follow([run.key for run in RUNS[3:5]])
    assert Saving(tmp_path, RUNS[3:]).start(RUNS[3:]) == [at(RUNS[3:], 8)]


@pytest.mark.parametrize("what", ["jax", "source", "XLA_FLAGS"])
def test_of_other_code_or_versions_it_is_refused_and_said(tmp_path, monkeypatch, what):
    saving = Saving(tmp_path, RUNS)
    saving.start(RUNS)
    saving.saved(5)
    code = checkpoints.code() | {what: "other"}
    monkeypatch.setattr(checkpoints, "code", lambda: code)
    again = Saving(tmp_path, RUNS)
    assert again.start(RUNS) == [{}]
    expected = f"two-sequence-10.rnn: a checkpoint is of another {what}; its trials start anew.\n"
    assert again.said.getvalue() == expected
    assert files(tmp_path) == []


def test_of_another_device_or_definition_it_is_not_used(tmp_path):
    saving = Saving(tmp_path, RUNS)
    saving.start(RUNS)
    saving.saved(5)
    other = Saving(tmp_path, RUNS, device="H200")
    assert other.start(RUNS) == [{}]
    assert "of another device" in other.said.getvalue()
    changed = replace(EXPERIMENT, version=2)
    again = Saving(tmp_path, [Run(changed, 0)], (changed,))
    assert again.start([Run(changed, 0)]) == [{}]
    assert "two-sequence-10.rnn: a checkpoint is of another definition" in again.said.getvalue()
    assert Saving(tmp_path, RUNS).start(RUNS) == [at(RUNS, 5)]


def test_it_is_saved_when_it_is_time(tmp_path, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now)
    saving = Saving(tmp_path, RUNS)
    saving.start(RUNS)
    saving.parts[0].state = state(RUNS, 1)
    saving.checkpoints.follow([])
    assert files(tmp_path) == []
    now += checkpoints.EVERY
    saving.checkpoints.follow([])
    (path,) = files(tmp_path)
    path.unlink()
    saving.checkpoints.follow([], now=True)
    assert files(tmp_path) == []  # nothing is new
    saving.parts[0].state = NONE
    saving.checkpoints.follow([], now=True)
    assert files(tmp_path) == []  # nothing to save


def test_a_disk_that_takes_no_checkpoint_is_told_of_once(tmp_path, full_disk):
    saving = Saving(tmp_path, RUNS)
    saving.start(RUNS)
    with full_disk:
        saving.saved(5)
        saving.saved(6)
    assert saving.said.getvalue().count("is not saved: cannot write") == 1
    saving.saved(7)
    assert Saving(tmp_path, RUNS).start(RUNS) == [at(RUNS, 7)]


def test_a_folder_that_somebody_has_removed_is_not_made_again(tmp_path):
    saving = Saving(tmp_path / "quick", RUNS)
    saving.start(RUNS)
    with pytest.raises(IncompleteError, match="has been removed while it was written to"):
        saving.saved(5)
    assert not (tmp_path / "quick").exists()


def test_what_a_kill_in_the_midst_of_a_writing_has_left_is_swept(tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for name, age in ((".old.npz.abc", 2 * checkpoints.STALE), (".new.npz.abc", 0)):
        (folder / name).write_text("")
        then = (folder / name).stat().st_mtime - age
        os.utime(folder / name, (then, then))
    Saving(tmp_path, RUNS)
    assert [path.name for path in files(tmp_path)] == [".new.npz.abc"]


def test_of_what_is_another_shards_nothing_is_said(tmp_path):
    saving = Saving(tmp_path, RUNS[:3])
    saving.start(RUNS[:3])
    saving.saved(5)
    other = Saving(tmp_path, RUNS[3:], device="H200", finished=set())
    assert other.start(RUNS[3:]) == [{}]
    assert other.said.getvalue() == ""
    assert len(files(tmp_path)) == 1


def test_a_file_that_goes_while_it_is_looked_for_is_no_broken_one(tmp_path, monkeypatch):
    saving = Saving(tmp_path, RUNS)
    saving.start(RUNS)
    saving.saved(5)

    def too_late(path):
        path.unlink()
        return read(path)

    monkeypatch.setattr(checkpoints, "read", too_late)
    assert Saving(tmp_path, RUNS).said.getvalue() == ""
