import math
import os

import numpy as np
import pandas as pd
import pytest

from benchmarks.cli import doctor
from benchmarks.cli.main import main
from benchmarks.cli.status import duration, text
from benchmarks.errors import UsageError
from benchmarks.learning.states import State
from benchmarks.running import failures, files, status, store
from benchmarks.running.checkpoint_file import Saved, packed
from tests.running.test_store import row
from tests.support.tiny import EXPERIMENT

NAMES = ["fast", "slow", "new", "bad"]


def saved(folder, name, digest, indices, seen):
    state = State(
        [(digest, i) for i in indices],
        [],
        np.array([seen] * len(indices)),
        np.array([seen / 10] * len(indices)),  # ten sequences in a second
        [[]] * len(indices),
    )
    path = folder / "checkpoints" / f"{name}.npz"
    files.write(path, packed(Saved({}, 0, {}, state)))
    return path


def requests(*trials):
    return store.frame(
        [
            {"experiment": name, "digest": f"{name}1", "seed": 0, "trials": n}
            for name, n in zip(NAMES, trials, strict=False)
        ],
        store.REQUEST_COLUMNS,
    )


def test_rows_checkpoints_and_failures_tell_how_far_it_is(tmp_path):
    own = {
        "experiment": "fast",
        "digest": "fast1",
        "seed": 0,
        "budget": 100,
        "seen": 50,
        "seconds": 25.0,
    }
    rows = store.frame([row(i, **own) for i in range(3)])
    path = saved(tmp_path, "a", "slow1", [0, 1], seen=30)
    saved(tmp_path, "b", "slow1", [1, 2], seen=10)  # an older one of number 1
    (tmp_path / "checkpoints" / "c.npz").write_text("nothing")
    failures.record(tmp_path, "bad", "ValueError: why not", "a traceback")
    found = status.lines(requests(5, 4, 6, 1), rows, tmp_path, {"slow1": 100, "new1": 100})
    lines = {line.experiment: line for line in found.itertuples()}
    counts = {name: (each.done, each.saved, each.left) for name, each in lines.items()}
    assert counts == {"fast": (3, 0, 2), "slow": (0, 3, 1), "new": (0, 0, 6), "bad": (0, 0, 1)}
    assert lines["fast"].seconds == pytest.approx(2 * 100 * 0.5)
    assert lines["slow"].seconds == pytest.approx((4 * 100 - 70) / 10)
    assert math.isnan(lines["new"].seconds)
    assert [each.failed for each in found.itertuples()] == ["", "", "", "ValueError: why not"]
    os.utime(path, (2e9, 2e9))
    assert status.latest(tmp_path) == 2e9
    assert status.latest(tmp_path / "nowhere") is None
    shown = text(found).splitlines()
    assert shown[-1].split() == ["all", "16", "3", "3", "10", "?"]
    assert shown[2].split() == ["slow", "0", "4", "0", "3", "1", "33", "s"]


def test_states_of_trials_that_have_a_row_count_for_nothing(tmp_path):
    """Rows are written at once, checkpoints every now and then: the last one still has them."""
    own = {"experiment": "fast", "digest": "fast1", "seed": 0, "budget": 100}
    rows = store.frame([row(i, **own, seen=100, seconds=10.0) for i in range(3)])
    saved(tmp_path, "a", "fast1", [0, 1, 2, 3], seen=90)
    (line,) = status.lines(requests(5), rows, tmp_path, {}).itertuples()
    assert (line.done, line.saved, line.left) == (3, 1, 1)
    assert line.seconds == pytest.approx(110 / 10)


def test_trials_of_different_seeds_are_told_apart(tmp_path):
    asked = pd.concat([requests(4), requests(2).assign(seed=7)])
    own = {"experiment": "fast", "digest": "fast1"}
    rows = store.frame([row(i, seed=0, **own) for i in (0, 1, 2, 9)])  # 9: of a larger run
    saved(tmp_path, "a", "fast1", [3, 9], seen=30)
    found = status.lines(asked, rows, tmp_path, {})
    columns = ["seed", "trials", "done", "saved", "left"]
    assert found[columns].to_numpy().tolist() == [[0, 4, 3, 1, 0], [7, 2, 0, 0, 2]]
    assert text(found).splitlines()[-1].split()[:5] == ["all", *"6312"]


def test_a_record_of_a_failure_that_is_none_is_told_as_text(tmp_path):
    path = failures.record(tmp_path, "a", "odd", "")
    path.write_bytes(b"\xff\x1b[31m[/red]=1\nand more")
    assert failures.read(tmp_path) == {"a": "\ufffd\\x1b[31m[/red]=1"}
    path.with_name("b.txt").mkdir()
    with pytest.raises(UsageError, match=r"b.txt is not a file$"):
        failures.read(tmp_path)


def test_durations():
    found = [duration(each) for each in (0.4, 119, 3000, 10_000, math.nan)]
    assert found == ["0 s", "119 s", "50 min", "2.8 h", "?"]


def test_the_command(tmp_path, capsys):
    assert main(["status", "--out", str(tmp_path)]) == 2
    assert "nothing has been run in" in capsys.readouterr().err
    store.add_requests(tmp_path / "tiny", requests(2).to_dict("records"))
    assert main(["status", "tiny", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[2].split()[:6] == ["fast", *"02002"]


def test_rows_that_nobody_asked_for_in_a_file_are_told_too():
    """Of Python's `run`: as many as the suite has, or, of what no suite has, as there are."""
    own = [EXPERIMENT.digest, "another", "fast1"]
    rows = store.frame([row(i, digest=digest, experiment=digest) for digest in own for i in (0, 1)])
    found = status.requests(requests(5), rows, [EXPERIMENT]).set_index("digest")
    assert found["trials"].to_dict() == {EXPERIMENT.digest: 6, "another": 2, "fast1": 5}
    assert list(status.requests(requests(5), rows[:0], []).columns) == list(store.REQUEST_COLUMNS)


def test_the_command_tells_of_a_search(tmp_path, capsys):
    store.add(tmp_path / "quick" / "search" / "trials" / "a.csv", [row(i) for i in range(3)])
    assert main(["status", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert printed == "quick, search: 3 trials of 1 experiments; settings chosen for 0\n"


def test_the_doctor_finds_what_there_is(tmp_path, capsys):
    assert main(["doctor", "--out", str(tmp_path / "new")]) == 0
    told = capsys.readouterr().out
    for name in (
        "jax ",
        "device     cpu, ",
        "GB free",
        "flags      XLA_FLAGS=--xla",
        "can be written",
    ):
        assert name in told
    (tmp_path / "file").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doctor, "findings", lambda _: iter(()))
        assert main(["doctor", "--out", str(tmp_path / "file")]) == 2


def test_a_system_may_not_say_how_much_memory_is_free(monkeypatch):
    monkeypatch.setattr(os, "sysconf_names", {"SC_PAGE_SIZE": 30})  # as on macOS
    assert doctor.memory() == "this system does not say"


def test_versions_that_were_tested(tmp_path):
    (tmp_path / "c.txt").write_text("# text\njax==1.2\nnumpy>=3\nflax==4.5.6\n")
    assert doctor.pinned(tmp_path / "c.txt") == {"jax": "1.2", "flax": "4.5.6"}
    assert doctor.pinned(tmp_path / "none.txt") == {}
