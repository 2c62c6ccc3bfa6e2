import io
import math
from dataclasses import replace

import pandas as pd
import pytest
from rich.console import Console

from benchmarks.errors import FailedError, UsageError
from benchmarks.learning import space
from benchmarks.learning.experiment import Settings
from benchmarks.learning.space import Configuration
from benchmarks.running import runner, search, store
from benchmarks.running.rows import path_of
from models.gru import GRU
from models.lstm import LSTM
from models.network import Recurrent
from tests.support.tiny import EXPERIMENT, RECIPE

BASE = replace(EXPERIMENT, cell="lstm", recipe=replace(RECIPE, model=Recurrent(LSTM, 4)))
BUDGET = RECIPE.budget


def write(folder, searched, sequences):
    """Rows of the search: numbers of sequences by configuration and trial, None unsolved."""
    rows = [
        {
            **dict.fromkeys(store.COLUMNS, 1),
            "experiment": each.name,
            "digest": each.digest,
            "seed": search.SEED,
            "trial": trial,
            "outcome": "spent" if n is None else "solved",
            "sequences": n,
            "milestone": None,
            "budget": BUDGET,
            "test_error": each.rate,
        }
        for each, trials in zip(searched.tried, sequences, strict=True)
        for trial, n in enumerate(trials)
    ]
    store.add(path_of(searched.base, folder / "search"), rows)


CASES = {
    "most solved": ([[90] * 4, [50, 60, None, None], [80, 90, 90, 100], [None]], 0),
    "then fewest sequences": ([[90] * 4, [80, 90, 90, 99], [70, 90, 90, 95], [100]], 2),
    "unsolved ones count with the budget": ([[399] * 3 + [None], [9] * 3 + [None], [None]], 1),
    "then the smallest error": ([[None] * 4, [None] * 4, [None] * 4], None),
    "an earlier search's finalists do not": (
        [[200, 1, 1, 1], [390], [100] * 4, [90] * 4, [80] * 4],
        4,
    ),
    "only finalists win": ([[390] * 4, [380, 381, 382, 383], [370, None, None, None], [395]], 1),
}


@pytest.mark.parametrize(("sequences", "winner"), CASES.values(), ids=CASES)
def test_the_winner(sequences, winner, tmp_path):
    searched = search.candidates((BASE,), len(sequences), tmp_path)
    write(tmp_path, searched, sequences)
    finalists = [i for i, trials in enumerate(sequences) if len(trials) == 4]
    if winner is None:
        winner = min(finalists, key=lambda i: searched.tried[i].rate)
    line = search.choice(searched, tmp_path)
    assert line["rate"] == searched.tried[winner].rate
    assert line["trials"] == 4
    assert line["configurations"] == len(sequences)
    assert line["with_success"] == sum(any(n for n in trials) for trials in sequences)


def test_the_search_says_where_nothing_worked(tmp_path):
    searched = search.candidates((BASE,), 4, tmp_path)
    write(tmp_path, searched, [[None] * 4, [None] * 4, [None] * 4, [None]])
    (text,) = search.unsolved([search.choice(searched, tmp_path)])
    assert text.startswith("two-sequence-10.lstm: none of 4 configurations has solved it")
    write(tmp_path / "some", searched, [[9] * 4, [None] * 4, [None] * 4, [None]])
    assert search.unsolved([search.choice(searched, tmp_path / "some")]) == []


def test_the_best_by_one_trial_train_again(tmp_path):
    searched = search.candidates((BASE,), 6, tmp_path)
    write(tmp_path, searched, [[300], [None], [100], [None], [200], [350]])
    assert search.finalists(searched, tmp_path) == [searched.tried[i] for i in (2, 4, 0)]


def test_rows_of_the_search_are_those_of_the_experiment_as_it_stands(tmp_path):
    searched = search.candidates((BASE,), 3, tmp_path)
    write(tmp_path, searched, [[300], [None], [100, 200]])
    rows = store.read(path_of(BASE, tmp_path / "search"))
    columns = {
        each.digest: {"rate": each.rate, **each.settings.columns()} for each in searched.tried
    }
    told = rows["digest"].map(columns).apply(pd.Series).astype(float)
    rows = rows.assign(**{name: told[name] for name in told})
    for path in (tmp_path / "search").rglob("*.csv"):
        path.unlink()
    store.add(path_of(BASE, tmp_path / "search"), rows.to_dict("records"))
    found = search.tried([replace(BASE, rate=0.7, lengths=(2,))], tmp_path)
    assert found["digest"].tolist() == rows["digest"].tolist()
    assert search.tried([replace(BASE, version=2)], tmp_path).empty
    assert search.tried([BASE], tmp_path / "none").empty


def test_configurations_differ_in_numbers_only(tmp_path):
    searched = search.candidates((BASE,), 8, tmp_path)
    assert {each.recipe for each in searched.tried} == {BASE.recipe}
    assert {tuple(each.settings.given()) for each in searched.tried} == {("clip", "memory")}
    assert len({each.digest for each in searched.tried}) == 8
    assert {each.name for each in searched.tried} == {BASE.name}


def test_a_longer_delay_starts_from_the_best_of_the_shorter(tmp_path):
    short, long = (
        replace(
            BASE, delay=delay, recipe=replace(BASE.recipe, task=replace(BASE.recipe.task, T=delay))
        )
        for delay in (10, 25)
    )
    assert search.stages(long, [BASE, long, replace(short, cell="rnn"), short]) == (
        BASE,
        short,
        long,
    )
    assert search.stages(short, [short, long]) == (short,)
    before = search.candidates((short,), 4, tmp_path)
    write(tmp_path, before, [[300], [None], [100], [200]])
    after = search.candidates((short, long), 4, tmp_path)
    drawn = space.configurations(["memory"], 25, 6)
    best = [before.tried[i] for i in (2, 3)]
    assert [each.rate for each in after.tried] == [
        *(each.rate for each in best),
        *(each.rate for each in drawn[4:]),
    ]
    for old, new in zip(best, after.tried, strict=False):
        assert new.settings.clip == old.settings.clip
        for steps, more in zip(old.settings.memory, new.settings.memory, strict=True):
            assert more == pytest.approx(2 if steps == 2 else 2.5 * steps, rel=1e-3)
    assert after.tried[2].settings == drawn[4].settings
    assert after.base == long
    # each of the next stage is new again
    write(tmp_path, after, [[1]] * 4)
    longest = replace(long, delay=50)
    third = search.candidates((short, long, longest), 4, tmp_path)
    assert [each.rate for each in third.tried[2:]] == [
        each.rate for each in space.configurations(["memory"], 50, 8)[6:]
    ]


CHOICES = {
    "lstm": Configuration(0.003, Settings(clip=math.inf, memory=(2.0, 40.0))),
    "rnn": Configuration(0.03, Settings(clip=1.0, scale=0.9)),
    "NA": Configuration(0.01, Settings(clip=1.0)),
    "rnn-omega": Configuration(0.02, Settings(strength=3.0)),
}


def line(cell):
    rate, settings = CHOICES[cell]
    evidence = dict.fromkeys(list(search.CHOSEN_COLUMNS)[10:], 1)
    whose = {"task": "adding", "delay": 40, "cell": cell, "recipe": f"of {cell}"}
    return whose | {"rate": rate, **settings.columns()} | evidence


def test_choices_come_back_and_others_stay(tmp_path):
    assert search.chosen(tmp_path) == {}
    for cell in CHOICES:
        search.save([line(cell) | {"rate": 0.5}], tmp_path)
        search.save([line(cell)], tmp_path)
    expected = {("adding", 40, cell, f"of {cell}"): choice for cell, choice in CHOICES.items()}
    assert search.chosen(tmp_path) == expected


def test_a_choice_is_for_what_was_searched_not_for_whatever_has_its_name(tmp_path):
    large = replace(BASE, recipe=replace(RECIPE, model=Recurrent(LSTM, 5)))
    for each, rate in ((BASE, 0.1), (large, 0.2)):
        whose = {"task": each.task, "delay": each.delay, "recipe": each.recipe_digest}
        search.save([line("lstm") | whose | {"rate": rate}], tmp_path)
    other = replace(BASE, recipe=replace(RECIPE, budget=2 * BUDGET), rate=0.5)
    found = search.settled([large, BASE, other], tmp_path)
    assert [each.rate for each in found] == [0.2, 0.1, 0.5]
    assert found[0].settings == CHOICES["lstm"].settings
    assert [each.recipe for each in found] == [large.recipe, BASE.recipe, other.recipe]


def test_what_came_of_the_search_is_told_of_what_it_has_chosen_alone(tmp_path):
    evidence = {"configurations": 24, "with_success": 10}
    whose = {"task": BASE.task, "delay": BASE.delay, "recipe": BASE.recipe_digest}
    search.save([line("lstm") | whose | evidence], tmp_path)
    own = search.at(BASE, CHOICES["lstm"])
    others = [replace(own, rate=0.5), replace(own, cell="gru"), replace(own, settings=Settings())]
    assert search.outcomes([own, *others], tmp_path) == {own.digest: (10, 24)}
    assert search.outcomes([own], tmp_path / "none") == {}


def test_choices_of_older_versions_are_for_the_name_until_it_is_searched_anew(tmp_path):
    old = line("lstm") | {"task": BASE.task, "delay": BASE.delay, "rate": 0.1}
    del old["recipe"]
    columns = [name for name in search.CHOSEN_COLUMNS if name != "recipe"]
    text = pd.DataFrame([old])[columns].to_csv(index=False)
    (tmp_path / "chosen.csv").write_text(text)
    assert [each.rate for each in search.settled([BASE], tmp_path)] == [0.1]
    search.save([old | {"recipe": BASE.recipe_digest, "rate": 0.2}], tmp_path)
    other = replace(BASE, recipe=replace(RECIPE, budget=2 * BUDGET))
    assert [each.rate for each in search.settled([BASE, other], tmp_path)] == [0.2, 0.1]


def test_a_foreign_file_of_choices_is_refused(tmp_path):
    (tmp_path / "chosen.csv").write_text("a\n1\n")
    with pytest.raises(UsageError, match="not a results file of this version"):
        search.chosen(tmp_path)


@pytest.mark.usefixtures("one_worker")
def test_a_search_ends_with_a_choice_and_repeats_nothing(tmp_path, capsys):
    console = Console(file=io.StringIO())
    search.search([BASE], 5, tmp_path, console)
    rows = store.read(path_of(BASE, tmp_path / "search"))
    assert len(rows) == 5 + search.FINALISTS * search.MORE_TRIALS
    assert set(rows["seed"]) == {search.SEED}
    assert rows[["clip", "memory_low", "memory_high"]].notna().all(axis=None)
    (found,) = search.chosen(tmp_path).values()
    assert search.settled([BASE], tmp_path) == [search.at(BASE, found)]
    tried = rows[(rows["rate"] == found.rate) & (rows["clip"] == found.settings.clip)]
    assert len(tried) == 1 + search.MORE_TRIALS
    search.search([BASE], 5, tmp_path, Console(file=io.StringIO()))
    assert store.read(path_of(BASE, tmp_path / "search")).equals(rows)


def test_where_one_cannot_be_trained_the_others_are_searched(tmp_path, monkeypatch):
    other = replace(BASE, cell="gru")
    sequences = [[300], [None], [100], [None]]

    def run(experiments, seed, folder, console, **_):
        if len(experiments) > search.FINALISTS:  # the first trials, of both
            write(tmp_path, search.candidates((BASE,), 4, tmp_path), sequences)
            raise FailedError("two-sequence-10.gru failed")
        assert {each.name for each in experiments} == {BASE.name}
        write(
            tmp_path,
            search.candidates((BASE,), 4, tmp_path),
            [[300] * 4, [None], [100] * 4, [None] * 4],
        )

    monkeypatch.setattr(runner, "run", run)
    with pytest.raises(FailedError, match=r"two-sequence-10\.gru failed"):
        search.search([BASE, other], 4, tmp_path, Console(file=io.StringIO()))
    assert list(search.chosen(tmp_path)) == [("two-sequence", 10, "lstm", BASE.recipe_digest)]


def test_where_the_best_cannot_train_again_the_others_are_searched(tmp_path, monkeypatch):
    other = replace(BASE, cell="gru", recipe=replace(RECIPE, model=Recurrent(GRU, 4)))

    def run(experiments, seed, folder, console, **_):
        first = len(experiments) == 2 * 4
        for each in (BASE, other):
            found = search.candidates((each,), 4, tmp_path)
            more = 0 if first or each is other else search.MORE_TRIALS
            write(tmp_path, found, [[300], [None], [100], [None]] if not more else [[300] * 4] * 4)
        if not first:
            raise FailedError("two-sequence-10.gru failed")

    monkeypatch.setattr(runner, "run", run)
    with pytest.raises(FailedError, match=r"^two-sequence-10\.gru failed$"):
        search.search([BASE, other], 4, tmp_path, Console(file=io.StringIO()))
    assert list(search.chosen(tmp_path)) == [("two-sequence", 10, "lstm", BASE.recipe_digest)]
