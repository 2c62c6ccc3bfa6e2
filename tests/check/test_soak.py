from collections import Counter
from types import SimpleNamespace

import pytest

from benchmarks.check.studies import soak
from benchmarks.check.studies.kills import Ended


def ended(after, lost, parent):
    troubled = SimpleNamespace(faults=Counter({"runs killed": 3}), ended=Counter({0: 1, -9: 3}))
    return soak.Round(after, Ended(3, 2, lost, 0, 1, lost == 0, 0), troubled, parent, 500, 2.0)


def test_figures_are_sums_over_rounds_and_memory_is_a_mean_of_each_interval():
    found = soak.text([ended(600, 0, 100), ended(1200, 2, 200), ended(3600, 0, 150)])
    lines = [[part.strip() for part in line.split("|")[1:-1]] for line in found.splitlines()]
    figures = {line[0]: line[1:] for line in lines if line}
    assert figures["minutes"] != ["60"]  # the heading of the second table comes last
    assert figures["runs killed"] == ["9"]
    assert figures["rows lost"] == ["2"]
    assert figures["rows different"] == ["3"]
    assert figures["rounds with other curves"] == ["1"]
    assert figures["processes that the full disk ended"] == ["0"]
    assert figures["rows of trials"] == [str(3 * sum(case.trials for case in soak.CASES))]
    assert [figures[each] for each in ("0 to 10", "10 to 20", "50 to 60")] == [
        ["100", "500"],
        ["200", "500"],
        ["150", "500"],
    ]


@pytest.mark.parametrize("seed", range(5))
def test_faults_are_the_same_for_a_seed_and_of_all_kinds(tmp_path, seed, monkeypatch):
    def faults():
        run = soak.Troubled(tmp_path, tmp_path, seed)
        monkeypatch.setattr(run, "_start", lambda: run.running.append(process))
        monkeypatch.setattr(run, "_in_training", iter([True] * 40 + [False]).__next__)
        process = SimpleNamespace(communicate=lambda: None)
        seen = []
        for name in ("kill", "kill_worker", "fill_disk", "second_writer"):
            monkeypatch.setattr(run, name, lambda name=name: seen.append(name))
        monkeypatch.setattr("time.sleep", lambda seconds: None)
        run.through(40)
        return seen

    assert faults() == faults()
    assert len(set(faults())) == 4
