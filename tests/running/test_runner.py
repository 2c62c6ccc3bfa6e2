import contextlib
import io
import time
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from benchmarks.errors import FailedError, IncompleteError
from benchmarks.learning.lanes import Run
from benchmarks.learning.states import NONE, State
from benchmarks.running import jobs, runner, store
from benchmarks.running.rows import Rows, Shard, missing, path_of
from benchmarks.running.workers import Broken
from tests.running.test_store import row
from tests.support.tiny import EXPERIMENT, experiment


def runs(each, *indices):
    return [Run(each, i) for i in indices]


def test_missing_are_the_trials_without_a_row_of_this_digest_and_seed(tmp_path):
    path = path_of(EXPERIMENT, tmp_path)
    mine = {"digest": EXPERIMENT.digest, "seed": 0}
    store.add(
        path, [row(1, **mine), row(3, **mine), row(0, digest="other"), row(2, **mine | {"seed": 5})]
    )
    assert missing(EXPERIMENT, 0, tmp_path) == runs(EXPERIMENT, 0, 2, 4, 5)
    assert missing(EXPERIMENT, 5, tmp_path) == runs(EXPERIMENT, 0, 1, 3, 4, 5)
    assert missing(replace(EXPERIMENT, trials=1), 0, tmp_path)[0].index == 0


def test_a_trial_whose_row_was_cut_is_missing(tmp_path, capsys):
    path = path_of(EXPERIMENT, tmp_path)
    store.add(path, [row(i, digest=EXPERIMENT.digest, seed=0) for i in range(6)])
    path.write_bytes(path.read_bytes()[:-3])
    assert missing(EXPERIMENT, 0, tmp_path) == runs(EXPERIMENT, 5)
    assert "line 7: cut off, and left out" in capsys.readouterr().err


def test_shares_hold_every_trial_once(tmp_path):
    shares = [missing(EXPERIMENT, 0, tmp_path, Shard(i, 4)) for i in (1, 2, 3, 4)]
    assert [[each.index for each in share] for share in shares] == [[0, 4], [1, 5], [2], [3]]


def test_to_plan_many_trials_takes_no_time(tmp_path):
    many = replace(EXPERIMENT, trials=store.MOST_TRIALS)
    one = row(0, digest=many.digest, seed=0)
    done = store.frame([one]).loc[[0] * (many.trials - 1)].assign(trial=range(1, many.trials))
    store.add(path_of(many, tmp_path), done)
    began = time.process_time()
    assert missing(many, 0, tmp_path) == runs(many, 0)
    assert time.process_time() - began < 2


def test_what_shares_a_recipe_is_one_job():
    slow, fast, other = experiment(rate=0.1), experiment(rate=0.2), experiment(budget=800)
    to_run = {slow: runs(slow, 0, 1), other: runs(other, 0), fast: runs(fast, 4)}
    assert jobs.grouped(to_run) == [
        [*runs(slow, 0, 1), *runs(fast, 4)],
        runs(other, 0),
    ]


def test_the_most_work_comes_first():
    one, two = experiment(budget=800), experiment(budget=1600)
    to_run = {one: runs(one, 0, 1), two: runs(two, 0)}
    assert jobs.grouped(to_run) == [runs(one, 0, 1), runs(two, 0)]  # as much: as it was
    to_run[two].append(Run(two, 1))
    assert jobs.grouped(to_run) == [runs(two, 0, 1), runs(one, 0, 1)]


def test_jobs_are_split_only_when_there_are_fewer_than_workers():
    job, short = runs(EXPERIMENT, 0, 1, 2, 3, 4), runs(EXPERIMENT, 9)
    assert jobs.split([job], 2) == [runs(EXPERIMENT, 0, 2, 4), runs(EXPERIMENT, 1, 3)]
    assert jobs.split([job, short], 2) == [job, short]
    assert jobs.split([short], 4) == [short]
    assert [len(part) for part in jobs.split([job, short], 3)] == [3, 2, 1]
    assert [len(part) for part in jobs.split([job, short], 99)] == [1] * 6


def test_the_most_work_is_split_most():
    long, short = experiment(budget=2000), experiment(budget=400)
    parts = jobs.split([runs(short, *range(10)), runs(long, *range(8))], 7)
    assert [(part[0].experiment.recipe.budget, len(part)) for part in parts] == [
        *[(2000, 2)] * 3,
        *[(400, 5)] * 2,
        *[(2000, 1)] * 2,
    ]
    assert sorted(run.index for part in parts for run in part) == sorted([*range(10), *range(8)])


@pytest.mark.parametrize(
    ("begun", "idle", "own", "given"),
    [
        ([0, 1, 2, 3], 0, 10, []),
        ([0, 1, 2, 3], 1, 5, [[5, 6, 7, 8, 9]]),
        ([2, 3, 4, 5], 1, 5, [[1, 6, 7, 8, 9]]),
        ([0, 1, 2, 3], 2, 4, [[4, 6, 8], [5, 7, 9]]),
        ([0, 1, 2, 3], 20, 4, [[4], [5], [6], [7], [8], [9]]),
        ([*range(8)], 1, 8, [[8, 9]]),  # those that have begun stay
        ([*range(10)], 1, 10, []),
    ],
)
def test_idle_workers_get_trials_that_have_not_begun(begun, idle, own, given):
    ten = runs(EXPERIMENT, *range(10))
    keys = [ten[i].key for i in begun]
    state = State(keys, [], np.ones(len(keys), int), np.ones(len(keys)), [[] for _ in keys])
    part = jobs.Part(0, ten, state, halvings=1, keep_weights=True)
    shares = part.shared(idle)
    assert [[run.index for run in each.runs] for each in shares] == given
    assert (len(part.runs), part.state) == (own, state)
    for each in shares:
        assert each == jobs.Part(0, each.runs, NONE, halvings=1, keep_weights=True)


class Here:
    """Two workers that are this process: the call that was added last, or first, is made first."""

    device, where = "cpu", ""

    def __init__(self, last):
        self.last, self.made = last, []

    def __len__(self):
        return 2

    def run(self, calls):
        while calls:
            number, call = calls.pop() if self.last else calls.popleft()
            self.made.append(number)
            for item in call():
                yield number, item
            yield number, None

    def start(self, loops):
        return contextlib.nullcontext(self)


@pytest.mark.parametrize(("last", "parts"), [(True, 4), (False, 2)])
def test_rows_do_not_depend_on_turns_and_who_takes_trials_that_wait(
    monkeypatch, tmp_path, last, parts
):
    long, short = experiment(trials=9), experiment(trials=1, budget=200)
    rows = []
    for name, turn in (("usual", jobs.TURN), ("short", 0.0)):
        monkeypatch.setattr(jobs, "TURN", turn)
        here, folder = Here(last), tmp_path / name
        runner.run([long, short], 0, folder, Console(file=io.StringIO()), start=here.start)
        found = store.read_suite(folder).drop(columns="seconds")
        rows.append(found.sort_values(["digest", "trial"], ignore_index=True))
        assert not (folder / "checkpoints").exists()
    assert rows[0].equals(rows[1])
    assert (len(rows[0]), set(here.made)) == (10, set(range(parts)))
    assert len(here.made) > parts


def test_rows_that_are_gone_are_counted_over_all_configurations(tmp_path):
    one, other = experiment(rate=0.1), experiment(rate=0.2)
    with pytest.raises(IncompleteError, match=rf"{one.name} \(3\)"):
        Rows(tmp_path, False, {one: 3, other: 0}).check()


def test_an_experiment_whose_parts_fail_alike_is_told_once(tmp_path, monkeypatch):
    failure = runner.Failure([EXPERIMENT.name], 3, Broken("ValueError: odd", "", False, False))
    monkeypatch.setattr(runner, "trained", lambda *_: (each for each in [failure, failure]))
    with pytest.raises(FailedError) as told:
        runner.run([EXPERIMENT], 0, tmp_path, Console(file=io.StringIO()))
    assert str(told.value).count("odd") == 1
