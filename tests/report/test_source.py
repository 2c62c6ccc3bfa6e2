import pandas as pd

from benchmarks import suites
from benchmarks.analysis import paper_rows, settings
from benchmarks.learning.experiment import Settings
from benchmarks.learning.space import Configuration
from benchmarks.report import paper_section, sections, source
from benchmarks.running import search, store
from tests.support.made_up import points, rows


def test_rows_of_ones_own_come_first_and_committed_ones_else(tmp_path, monkeypatch):
    suite, own, committed = suites.load("smoke"), tmp_path / "own", tmp_path / "results"
    monkeypatch.setattr(source, "RESULTS", committed)
    each = suite.experiments[0]
    found = source.of_suite(suite, suite.experiments, own / "smoke")
    assert found.rows.empty
    store.add(committed / "smoke" / "trials" / "a.csv", rows(each, 40).to_dict("records"))
    found = source.of_suite(suite, suite.experiments, own / "smoke")
    assert len(found.rows) == 1
    assert found.committed
    assert found.text.startswith("Made of the committed rows")
    assert "own/smoke has none" in found.text
    store.add(own / "smoke" / "trials" / "a.csv", rows(each, 40, 80).to_dict("records"))
    found = source.of_suite(suite, suite.experiments, own / "smoke")
    assert len(found.rows) == 2
    assert not found.committed
    assert found.text == "Made of the rows in own/smoke."
    assert "has none" not in source.of_suite(suite, suite.experiments, committed / "smoke").text


def test_a_curve_without_a_row_is_left_out(tmp_path):
    """A kill between both writes leaves such a one; its trial is run again."""
    suite = suites.load("smoke")
    done = rows(suite.experiments[0], 40, seed=0)
    curves = points(pd.concat([done, done.assign(trial=2)]))
    store.add(tmp_path / "trials" / "a.csv", done.to_dict("records"))
    store.add_curves(tmp_path / "curves" / "a.csv", curves.to_dict("records"))
    assert source.of_suite(suite, suite.experiments, tmp_path).points["trial"].tolist() == [0, 0, 0]


def asked(folder, experiments, trials):
    requests = [
        {"experiment": each.name, "digest": each.digest, "seed": 0, "trials": trials}
        for each in experiments
    ]
    store.add_requests(folder, requests)


def test_what_was_not_asked_for_is_told_from_what_is_missing(tmp_path):
    suite = suites.load("tiny")
    one, two, *rest = suite.experiments
    asked(tmp_path, [one, two], 3)
    for each, needed in ((one, [40, 80, None]), (two, [40])):
        store.add(tmp_path / "trials" / f"{each.name}.csv", rows(each, *needed).to_dict("records"))
    found = source.of_suite(suite, suite.experiments, tmp_path)
    assert [each.trials for each in found.experiments] == [3, 3, *[0] * len(rest)]
    assert found.unasked == (
        f"Not asked for: {2 + 4 * len(rest)} of the suite's {4 * len(rest) + 8} trials, "
        f"among them all of {len(rest)} of {len(rest) + 2} experiments."
    )
    contents = sections.of_cells(found.experiments, found.rows, found.points, None, found.tried)
    missing = f"Not complete: 2 trials have not been run: {two.name} (2)"
    assert contents.notices[0].startswith(missing)
    assert "too high" in contents.notices[0]


def test_no_bias_is_claimed_when_all_that_was_asked_for_has_finished(tmp_path):
    suite = suites.load("tiny")
    pair = suite.experiments[:2]
    asked(tmp_path, pair, 3)
    asked(tmp_path, pair, 2)  # the most that was ever asked for counts
    for each in pair:
        done = rows(each, 40, 80, None, cell=each.cell).to_dict("records")
        store.add(tmp_path / "trials" / f"{each.name}.csv", done)
    found = source.of_suite(suite, suite.experiments, tmp_path)
    contents = sections.of_cells(found.experiments, found.rows, found.points, None, found.tried)
    assert not any("Not complete" in text or "too high" in text for text in contents.notices)
    assert contents.better.sentence.startswith("In 0 of 1 comparisons")
    table = contents.sheets[0].frame
    assert table["solved"].tolist() == ["2/3", "2/3"]


def test_page_and_table_say_what_came_of_the_search_beside_the_rows(tmp_path):
    suite = suites.load("quick")
    each = search.at(suite.experiments[0], Configuration(0.02, Settings(clip=1.0)))
    evidence = {"solved": 4, "trials": 4, "mean_sequences": 90, "test_error": 0.1}
    whose = {"task": each.task, "delay": each.delay, "cell": each.cell}
    choice = {"recipe": each.recipe_digest, "rate": each.rate, **each.settings.columns()}
    counts = {"configurations": 16, "with_success": 7}
    search.save([whose | choice | evidence | counts], tmp_path)
    done = rows(each, 40, 80, clip=1.0, **whose)
    outcomes = suite.searches([each], [tmp_path])
    contents = sections.of_cells([each], done, done[:0], None, done[:0], outcomes=outcomes)
    assert contents.sheets[0].frame["tried"].tolist() == ["7/16"]
    assert contents.sheets[1].frame["tried"].tolist() == ["7/16"]  # of the ranking
    shown = suite.shown([each], done, folders=[tmp_path])
    assert shown.page.count("| 7/16 ") == 2
    assert settings.TRIED in shown.notes
    assert "7/16" not in suite.shown([each], done).page


def test_the_literal_row_stands_before_its_variants(tmp_path):
    suite = suites.load("fidelity")
    chosen = [each for each in suite.compared if each.row in ("7.1", "1.6")]
    experiments = [each.experiment for each in chosen]
    literal = source.literal(suite, experiments, tmp_path)
    own = suite.literal.beside_paper(literal.experiments)
    assert [each.row for each in own] == ["1.6", "7.1"]
    done = pd.concat([rows(each.experiment, *[400] * 30) for each in own])
    variants = pd.concat([rows(each, 400, seed=0) for each in experiments])
    lines = paper_rows.comparison(own, done)
    contents = paper_section.of_paper(chosen, variants, literal.points[:0], lines)
    table = contents.sheets[0].frame
    of_16 = sum(each.row == "1.6" for each in chosen)
    assert table["row"].tolist() == ["1.6"] * (of_16 + 1) + ["7.1"] * (len(chosen) - of_16 + 1)
    literal_at = [i for i, name in enumerate(table["variant"]) if name == "literal"]
    assert literal_at == [0, of_16 + 1]
    assert list(table)[:4] == ["row", "variant", "task", "verdict"]
