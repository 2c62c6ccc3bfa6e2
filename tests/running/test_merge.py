from pathlib import Path

import numpy as np
import pytest

from benchmarks.cli.main import main
from benchmarks.errors import UsageError
from benchmarks.running import flow_study, networks, search, store
from benchmarks.running.merge import Taken, merge
from tests.running.test_schema import CHOICE, FLOW
from tests.running.test_store import point, request, row

MINE = {"digest": "d", "seed": 0}


def made(folder, trials, suite="quick", **changes):
    """A folder of results of one experiment, with curves and a request."""
    home = folder / suite
    rows = [row(i, **{"seen": 7} | MINE | changes) for i in trials]
    points = [point(i, 40, 0.5, digest=rows[0]["digest"]) for i in trials]
    store.add_trials(home / "trials" / "a.csv", home / "curves" / "a.csv", rows, points)
    store.add_requests(home, [request(len(trials), digest=rows[0]["digest"])])
    return folder


def contents(folder):
    return {
        each.relative_to(folder): each.read_bytes()
        for each in folder.rglob("*.csv")
        if each.is_file()
    }


def test_shares_make_the_whole(tmp_path):
    whole = made(tmp_path / "whole", range(6))
    shares = [made(tmp_path / str(i), range(i, 6, 3)) for i in range(3)]
    for each in shares:  # all jobs are asked for the whole
        store.add_requests(each / "quick", [request(6)])
    taken = merge(shares, tmp_path / "out")
    assert taken == [Taken(each, 2, 1, 0, 0) for each in shares]
    assert contents(tmp_path / "out") == contents(whole)
    assert [each.known for each in merge(shares, tmp_path / "out")] == [2, 2, 2]
    assert contents(tmp_path / "out") == contents(whole)


def test_a_trial_in_several_stays_as_it_was_first(tmp_path):
    one = made(tmp_path / "one", range(3))
    other = made(tmp_path / "other", range(2, 5), outcome="spent", sequences=None, device="gpu")
    (taken,) = merge([one, other], one)
    assert taken == Taken(other, 2, 1, 1, 1)
    assert (
        str(taken)
        == f"{other}: 2 rows of 1 experiments; 1 more were there already, 1 of them different"
    )
    rows = store.read_suite(one / "quick")
    assert rows["device"].tolist() == ["x"] * 3 + ["gpu"] * 2
    assert len(store.read_curves(one / "quick")) == 5


def test_networks_come_with_the_rows_that_are_new(tmp_path):
    one, other = made(tmp_path / "one", [0, 1]), made(tmp_path / "other", [1, 2])
    for folder, number in ((one, 1.0), (other, 2.0)):
        for each in store.read_suite(folder / "quick").to_dict("records"):
            networks.write(folder / "quick", each, {"w": np.array([number])})
    merge([one, other], tmp_path / "out")
    found = [
        float(np.load(networks.path_of(each, tmp_path / "out" / "quick"))["w"][0])
        for each in store.read_suite(tmp_path / "out" / "quick").to_dict("records")
    ]
    assert found == [1.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"digest": "e"}, "digest d, .* has digest e"),
        ({"commit": "other"}, "commit x, dirty x, .* commit other, dirty x"),
        ({"jax": "9"}, "has jax 9"),
        ({"dirty": "true"}, "dirty true"),
    ],
)
def test_what_was_measured_otherwise_is_not_joined(changes, what, tmp_path):
    folders = [made(tmp_path / "one", [0]), made(tmp_path / "two", [1], **changes)]
    with pytest.raises(UsageError, match=rf"^quick/trials/a cannot be joined: .*{what}.*compare"):
        merge(folders, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_line_that_is_wrong_is_named_and_nothing_is_written(tmp_path):
    one, two = made(tmp_path / "one", [0]), made(tmp_path / "two", [1])
    path = two / "quick" / "trials" / "a.csv"
    path.write_text(path.read_text().replace(",solved,", ",banana,"))
    with pytest.raises(UsageError, match="line 2, column outcome"):
        merge([one, two], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["requests.csv", "curves/a.csv", "chosen.csv"])
def test_nor_if_another_file_of_a_later_folder_is_wrong(name, tmp_path):
    one, two = made(tmp_path / "one", [0]), made(tmp_path / "two", [1])
    path = two / "quick" / name
    path.write_text("odd\n")
    with pytest.raises(UsageError, match=f"^{path} is not a results file"):
        merge([one, two], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_folders_that_differ_are_named_with_what_is_theirs(tmp_path):
    one, two = made(tmp_path / "one", [0]), made(tmp_path / "two", [1])
    made(two, [2], commit="a")  # joins with the first by its other rows
    three = made(tmp_path / "three", [3], commit="z")
    with pytest.raises(UsageError) as told:
        merge([one, two, three], tmp_path / "out")
    same = "jax x, flax x, optax x, commit"
    assert f"{one} has {same} x, dirty x, {three} has {same} z, dirty x" in str(told.value)


def test_rows_of_a_search_its_choices_and_initial_networks(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for i, each in enumerate(folders):
        store.add(each / "s" / "search" / "trials" / "a.csv", [row(0, digest=f"d{i}", seed=0)])
        search.save([CHOICE | {"cell": f"c{i}"}], each / "s")
        flow = each / "f" / "trials" / "a.csv"
        store.add(flow, [FLOW | {"trial": i}], flow_study.COLUMNS)
    taken = merge(folders, tmp_path / "out")
    assert [each.rows for each in taken] == [2, 2]
    assert len(store.read_suite(tmp_path / "out" / "s" / "search")) == 2
    assert len(search.chosen(tmp_path / "out" / "s")) == 2
    assert len(store.read_suite(tmp_path / "out" / "f", flow_study.COLUMNS)) == 2
    search.save([CHOICE | {"cell": "c0", "rate": 2.0}], folders[1] / "s")
    with pytest.raises(UsageError, match="has another choice for x-1"):
        merge(folders, tmp_path / "new")


def test_a_suite_that_has_only_been_searched_is_a_suite(tmp_path):
    one = made(tmp_path / "one", [0]) / "quick"
    searched = tmp_path / "searched"
    store.add(searched / "search" / "trials" / "a.csv", [row(0, digest="d", seed=0)])
    (taken,) = merge([searched], one)
    assert taken.rows == 1
    assert len(store.read_suite(one / "search")) == 1


def test_folders_without_results_and_of_another_kind(tmp_path):
    one = made(tmp_path / "one", [0])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no results in"):
        merge([one, tmp_path / "empty"], tmp_path / "out")
    with pytest.raises(UsageError, match="of one suite, and some of several"):
        merge([one, one / "quick"], tmp_path / "out")


def test_the_command(tmp_path, capsys):
    made(tmp_path / "one", [0])
    assert main(["merge", str(tmp_path / "one"), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'one'}: 1 rows of 1 experiments\n"
    assert main(["merge", str(Path("nowhere")), "--out", str(tmp_path / "out")]) == 2
    assert main(["merge", str(tmp_path / "one")]) == 2
    assert capsys.readouterr().err.count("\n") == 2
