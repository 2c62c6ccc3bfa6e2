"""The commands `check` and `baseline`, their files, and the studies of the check."""

import contextlib
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from rich.console import Console

from benchmarks import suites
from benchmarks.check import baseline, output, run, verdicts
from benchmarks.check.output import Files, Report
from benchmarks.check.studies import document, faults, null, planted
from benchmarks.cli.main import main
from benchmarks.errors import UsageError
from benchmarks.running import store
from benchmarks.running.cell_file import cell_from
from models.gru import GRU
from models.network import Recurrent
from tests.support.made_up import rows
from tests.support.tiny import EXPERIMENT

ROOT = Path(__file__).parents[2]
CELL = ROOT / "tests" / "cells" / "leaky.py"
SUITE = suites.load("tiny").experiments
LOSER = SUITE[0].name


def made_up(experiments, **changes):
    """Rows of trials that all succeed, but for a few."""
    return pd.concat(
        [
            rows(
                each, *(None if i % 16 == 0 else 99 + i % 64 for i in range(each.trials)), **changes
            )
            for each in experiments
        ]
    )


def many(experiments, trials=64):
    return [replace(each, trials=trials) for each in experiments]


@pytest.fixture
def path(tmp_path):
    """A baseline of `tiny`, made up."""
    path = tmp_path / "baseline.csv"
    baseline.save(path, baseline.made_from("tiny", 0, made_up(many(SUITE, 128), seed=0)))
    return path


@pytest.fixture
def training(monkeypatch):
    """Trials that come at once; what is in the dictionary replaces an experiment's."""
    worse = {}

    def trials(experiments, seed, console):
        found = made_up(many(experiments), seed=seed)
        kept = found[~found["experiment"].isin(worse)]
        return pd.concat([kept, *worse.values()])

    monkeypatch.setattr(run, "trials", trials)
    return worse


def test_nothing_has_changed(path, training, capsys):
    assert main(["check", "tiny", "--baseline", str(path)]) == 0
    out = capsys.readouterr().out
    assert sum(line.startswith("same ") for line in out.splitlines()) == len(SUITE)
    assert "60/64 (0.85-0.98) 133, was 120/128 (0.88-0.97) 133; p 1" in out.replace("\n", " ")
    assert "sees 0.2" in out
    assert "Baseline of tiny: 2304 trials, seed 0; jax x" in out


def test_a_regression_is_status_1_and_stands_in_every_report(path, training, tmp_path, capsys):
    training[LOSER] = rows(SUITE[0], *[None] * 64, seed=1)
    junit, page = tmp_path / "reports" / "check.xml", tmp_path / "reports" / "check.md"
    files = ["--junit", str(junit), "--markdown", str(page)]
    assert main(["check", "tiny", "--baseline", str(path), *files]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("regressed")] == [LOSER]
    (suite,) = ElementTree.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures")) == (str(len(SUITE)), "1")
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert [name for name, case in cases.items() if case.find("failure") is not None] == [LOSER]
    assert "0/64" in cases[LOSER].find("failure").get("message")
    table = [line for line in page.read_text().splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(SUITE)
    assert len({line.count("|") for line in table}) == 1
    assert "**regressed**" in table[2]
    assert page.read_text().startswith("# tiny: learning got worse\n")


def test_what_cannot_be_compared_is_skipped_in_junit():
    side = verdicts.Side(verdicts.success_rate(pd.Series(["solved"])), 40.0)
    found = [
        verdicts.Finding("a", verdicts.NEW, ours=side),
        verdicts.Finding("b", verdicts.GONE, theirs=side),
        verdicts.Finding("c", verdicts.TOO_FEW, side, side, 1.0),
        verdicts.Finding("d <&>", verdicts.SAME, side, side, 1.0, 0.2),
    ]
    report = Report("s", found, "ours.", "theirs.")
    (suite,) = ElementTree.fromstring(output.junit(report))
    assert suite.get("skipped") == "3"
    assert output.status(report) == 0
    assert "sees no drop" in output.markdown(report).replace("no drop", "sees no drop")
    assert [output.line(each).rpartition("; ")[2] for each in found] == [
        "not in the baseline",
        "not in the suite any more",
        "sees no drop",
        "sees 0.20",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "tiny", "--baseline", "{}/none.csv"], "there is no baseline"),
        (["check", "tiny", "--baseline", "{}/foreign.csv"], "is not a baseline"),
        (["check", "tiny", "--baseline", "{}"], "is not a file"),
        (["check", "smoke", "--baseline", "{}/baseline.csv"], "is a baseline of suite tiny"),
        (["check", "slow"], "no suite 'slow'"),
        (["check", "tiny", "--baseline", "{}/baseline.csv", "--seed", "0"], "has seed 0 too"),
        (["check", "tiny", "--junit", "{}"], "is a folder"),
        (["check", "tiny", "--markdown", "{}/foreign.csv/a.md"], "cannot write"),
        (["check", "--cell", "nowhere.py:Cell"], "cannot read the cell file"),
        (["baseline", "tiny", "--baseline", "{}"], "is a folder"),
        (["baseline", "tiny", "--baseline", "{}/foreign.csv/a"], "cannot write"),
        (["baseline", "paper", "--cell", f"{CELL}:Leaky"], "it takes no other cell"),
    ],
)
def test_misuse_is_one_line_and_status_2(arguments, message, path, capsys, monkeypatch):
    monkeypatch.setattr(run, "trials", None)  # nothing is trained
    (path.parent / "foreign.csv").write_text("a,b\n1,2\n")
    assert main([each.format(path.parent) for each in arguments]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


@pytest.mark.parametrize("count", [1, 18])
def test_a_baseline_of_another_meaning_is_refused(path, count):
    base = baseline.load(path)
    now = [replace(each, version=2) if i < count else each for i, each in enumerate(SUITE)]
    with pytest.raises(UsageError, match=f"{count} of 18 .* benchmarks baseline tiny"):
        baseline.require_same(path, base, "tiny", 1, now)
    with pytest.raises(UsageError, match="has none of these"):
        baseline.require_same(path, base, "tiny", 1, [EXPERIMENT])
    baseline.require_same(path, base, "tiny", 1, [*SUITE[1:], EXPERIMENT])  # gone, new


def test_a_baseline_comes_back_and_says_where_it_comes_from(path):
    made = baseline.made_from("tiny", 0, made_up(SUITE, commit="c0ffee", device="abacus"))
    baseline.save(path, made)
    assert path.read_text().startswith("# suite: tiny\n# seed: 0\n# commit: c0ffee\n")
    again = baseline.load(path)
    assert again.origin == made.origin
    assert again.rows.equals(made.rows.reset_index(drop=True))
    assert "device abacus, commit c0ffee." in baseline.sentence(again)


def test_the_command_writes_a_baseline_that_the_check_accepts(tmp_path, training):
    path = tmp_path / "new" / "baseline.csv"
    assert main(["baseline", "tiny", "--baseline", str(path)]) == 0
    assert main(["check", "tiny", "--baseline", str(path)]) == 0


def test_a_users_cell_is_compared_whatever_its_file_says(tmp_path):
    (tmp_path / "cell.py").write_text(CELL.read_text())
    old = run.comparable(_with_file(tmp_path / "cell.py", rate=0.03))
    (tmp_path / "cell.py").write_text(CELL.read_text() + "\n# changed\n")
    changed = _with_file(tmp_path / "cell.py", rate=0.01)
    assert run.comparable(changed, rows(old, 40)).digest == old.digest
    assert run.comparable(EXPERIMENT) == EXPERIMENT


def test_a_users_cell_from_baseline_to_check(tmp_path, training, monkeypatch):
    monkeypatch.setattr("benchmarks.running.search.search", lambda *_: None)
    path, cell = tmp_path / "baseline.csv", tmp_path / "cell.py"
    cell.write_text(CELL.read_text())
    arguments = ["--cell", f"{cell}:Leaky", "--baseline", str(path)]
    assert main(["baseline", *arguments]) == 0
    tasks = {(each.task, each.delay) for each in suites.load("smoke").experiments}
    assert baseline.load(path).rows["experiment"].nunique() == len(tasks)
    cell.write_text(CELL.read_text() + "\n# changed\n")
    assert main(["check", *arguments]) == 0
    assert main(["check", "--baseline", str(path)]) == 2  # none of the core cells is in it


def _with_file(path, rate):
    model = Recurrent(cell_from(f"{path}:Leaky"), 4)
    return replace(EXPERIMENT, rate=rate, recipe=replace(EXPERIMENT.recipe, model=model))


MADE_BY = {"commit": "c0ffee", "dirty": "false", "jax": "1"}


@pytest.mark.parametrize(
    ("experiment", "made_by", "kept"),
    [
        (EXPERIMENT, MADE_BY, True),
        (EXPERIMENT, MADE_BY | {"dirty": "true"}, False),
        (EXPERIMENT, MADE_BY | {"commit": ""}, False),
        (None, MADE_BY, False),
    ],
    ids=["committed", "uncommitted", "no git", "a user's cell"],
)
def test_trials_of_code_without_a_name_are_not_kept(experiment, made_by, kept, monkeypatch):
    monkeypatch.setattr(run, "provenance", lambda: made_by)
    experiment = experiment or _with_file(CELL, rate=0.1)
    with run._folder([experiment], Console(quiet=True)) as folder:
        assert (run.RESULTS in folder.parents) == kept
    assert kept or not folder.exists()


def test_trials_of_another_commit_or_version_lie_elsewhere(monkeypatch):
    folders = set()
    for changes in ({}, {"commit": "decaf"}, {"jax": "2"}, {}):
        monkeypatch.setattr(run, "provenance", lambda changes=changes: MADE_BY | changes)
        with run._folder([EXPERIMENT], Console(quiet=True)) as folder:
            folders.add(folder)
    assert len(folders) == 3


def test_trials_of_other_seeds_and_beyond_the_number_do_not_count(monkeypatch, tmp_path):
    monkeypatch.setattr(run, "_folder", lambda *_: contextlib.nullcontext(tmp_path))

    def run_nothing(experiments, seed, folder, console):
        found = [rows(EXPERIMENT, *[40] * 9, seed=1), rows(EXPERIMENT, *[40] * 9, seed=2)]
        store.add(folder / "trials" / "a.csv", pd.concat(found).to_dict("records"))

    monkeypatch.setattr(run.runner, "run", run_nothing)
    found = run.trials([EXPERIMENT], 2, Console(quiet=True))
    assert found["seed"].tolist() == [2] * EXPERIMENT.trials
    assert found["trial"].tolist() == list(range(EXPERIMENT.trials))


def test_files_that_are_not_wanted_are_not_written(tmp_path):
    output.save(Report("s", [], "", ""), Files())
    assert list(tmp_path.iterdir()) == []


def test_the_suite_is_what_the_issue_wants():
    smoke = suites.load("smoke").experiments
    assert min(each.trials for each in smoke) >= 64
    cells = {each.cell for each in smoke}
    assert cells == {"rnn", "lstm", "gru", "mut1", "mut2", "mut3", "lstm97"}
    assert min(each.recipe.task.lag for each in smoke) >= 3


def test_the_committed_baseline_is_of_this_suite():
    if run.BASELINE.exists():
        base = baseline.load(run.BASELINE)
        smoke = suites.load("smoke").experiments
        baseline.require_same(run.BASELINE, base, "smoke", run.SEED, smoke)
        assert base.origin["dirty"] == "false"
        assert set(base.rows.groupby("experiment").size()) == {run.TIMES * 64}


def test_every_fault_touches_something_and_only_what_it_should():
    smoke = suites.load("smoke").experiments
    touched = {each.name: faults.planted(each, smoke) for each in planted.FAULTS}
    assert all(touched.values())
    assert {each.cell for each in touched["state-cut"]} == {"gru"}
    assert {each.task for each in touched["off-by-one"]} == {"adding"}
    assert {each.cell for each in touched["input-bias"]} == {"lstm97"}
    assert len(touched["half-rate"]) == len(smoke)
    digests = {each.digest for each in smoke}
    for each in (one for ones in touched.values() for one in ones):
        assert each.digest not in digests
        assert each.trials == faults.BLOCKS * 64


def test_the_fault_study_counts(monkeypatch):
    monkeypatch.setattr(faults, "CHECKS", 5)
    suite = many([EXPERIMENT, replace(EXPERIMENT, cell="gru")])
    fault = planted.Fault("a", "all fail", planted.cell(GRU, GRU))
    fails = rows(EXPERIMENT, *[None] * 64 * faults.BLOCKS)
    found = faults.caught(fault, suite, fails, made_up(many(suite, 128)))
    assert (found.touched, found.alarms, found.improved) == (1, faults.CHECKS, 0)
    assert found.seen_by == {EXPERIMENT.name: faults.CHECKS}
    assert "| all fail | 1" in faults.table([found])
    assert "100%" in faults.table([found])
    assert "in 10: none." in faults.table([found])


def test_the_null_study_draws_without_replacement():
    pool = rows(EXPERIMENT, *range(1, 31))
    ((ours, theirs),) = next(iter(null.resampled([pool], 10, 20, 1)))
    assert sorted([*ours["sequences"], *theirs["sequences"]]) == list(range(1, 31))
    counted = null.count(null.resampled([pool, pool], 10, 20, 5))
    assert counted.comparisons == 5
    assert "5 null comparisons" in null.text(counted, counted, 30, pool)


def test_a_study_rewrites_its_part_of_the_page_only():
    page = document.PAGE.read_text()
    for name in ("null", "faults"):
        after = document.spliced(page, name, "new")
        assert f"<!-- {name} -->\nnew\n<!-- end {name} -->" in after
        assert document.spliced(after, name, "old") == document.spliced(page, name, "old")
    with pytest.raises(ValueError, match="no part"):
        document.spliced("", "null", "new")
