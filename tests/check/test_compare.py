from dataclasses import replace

import pytest

from benchmarks.cli.main import main
from benchmarks.running import store
from tests.support.made_up import rows
from tests.support.tiny import EXPERIMENT

OTHER = replace(EXPERIMENT, cell="gru", rate=0.5)


def made(folder, experiment, sequences, name=None, **changes):
    found = rows(experiment, *sequences, **changes)
    store.add(folder / "tiny" / "trials" / f"{name or experiment.name}.csv", found)


def test_what_got_worse_what_is_alike_and_what_is_left_out(tmp_path, capsys):
    was, now = tmp_path / "was", tmp_path / "now"
    for folder, sequences in ((was, [99] * 64), (now, [None] * 64)):
        made(folder, EXPERIMENT, sequences, seed=0, commit=folder.name)
        made(folder, OTHER, [99] * 64, seed=0, commit=folder.name)
    made(was, EXPERIMENT, [99], name="gone")
    made(now, EXPERIMENT, [99], name="new")
    made(was, EXPERIMENT, [99], name="another")
    made(now, OTHER, [99], name="another")
    assert main(["compare", str(was), str(now)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "regressed tiny/two-sequence-10.rnn 0/64" in out
    assert "was 64/64" in out
    assert "same tiny/two-sequence-10.gru 64/64" in out
    assert f"Now: {now}, 128 trials, seed 0" in out
    assert "device x, commit was" in out
    assert "2 experiments: 1 same, 1 regressed." in out
    assert "128 trials have the same seed in both folders, and 64 of them the same outcome" in out
    assert "Not compared, in the first folder only: 1 (tiny/gone)." in out
    assert "Not compared, in the second folder only: 1 (tiny/new)." in out
    assert "Not compared, with another meaning in each: 1 (tiny/another)." in out


def test_a_suites_folders_and_other_seeds(tmp_path, capsys):
    for seed, folder in enumerate(("a", "b")):
        made(tmp_path / folder, EXPERIMENT, [99] * 8, seed=seed)
    assert main(["compare", str(tmp_path / "a" / "tiny"), str(tmp_path / "b" / "tiny")]) == 0
    out = capsys.readouterr().out
    assert "two-sequence-10.rnn  8/8" in out
    assert "same seed" not in out


@pytest.mark.parametrize(
    ("other", "message"), [("nowhere", "no results in"), ("b", "no experiment in common")]
)
def test_nothing_to_compare(other, message, tmp_path, capsys):
    made(tmp_path / "a", EXPERIMENT, [99])
    made(tmp_path / "b", OTHER, [99])
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / other)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
