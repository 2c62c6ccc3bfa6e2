import os
import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from itertools import cycle, islice
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest

from benchmarks import suites
from benchmarks.analysis import paper_rows, sentences
from benchmarks.cli.changes import Changes
from benchmarks.cli.main import main
from benchmarks.learning.curves import Quartiles
from benchmarks.report import drawing, figures, html, paper_figure, paper_section, sections
from benchmarks.running import search, store
from benchmarks.suites.common import RESULTS
from tests.support.made_up import points, rows
from tests.support.tiny import experiment

FIGURES = {
    "smoke": ["success", "sequences", "cost"],
    "latch": ["success", "delay", "sequences", "learning", "cost"],
    "paper": ["paper"],
}
ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
NEEDED = [(200, 400, 200, 400), (400, 800, 1600, None), (None,), (800, 1000, None, None)]


def made_up(name):
    """Rows of some experiments of a suite, some of them incomplete; the same on each call."""
    chosen = suites.load(name).experiments
    if name == "latch":
        chosen = [each for each in chosen if each.delay > 8]
    kinds = cycle(NEEDED)
    parts = []
    for i, each in enumerate(chosen):
        if i % 10 == 9:
            continue  # not run
        count = each.trials - (i % 10 == 8)
        needed = islice(cycle(next(kinds)), count)
        labels = {"task": each.task, "delay": each.delay, "cell": each.cell, "seed": 0}
        parts.append(rows(each, *needed, **labels))
    return pd.concat(parts)


NO_POINTS = pd.DataFrame(columns=list(store.CURVE_COLUMNS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The reports of all suites of `FIGURES`, made by the command."""
    folder = tmp_path_factory.mktemp("reports")
    for name in FIGURES:
        trials = folder / name / "trials"
        trials.mkdir(parents=True)
        made_up(name).to_csv(trials / "all.csv", index=False)
        if "learning" in FIGURES[name]:
            path = folder / name / "curves" / "all.csv"
            store.add_curves(path, points(made_up(name)).to_dict("records"))
    assert main(["report", *FIGURES, "--out", str(folder)]) == 0
    return folder


class Page(HTMLParser):
    """Elements of a page with their attributes, and whether every one is closed in its order."""

    VOID = {"meta", "link", "img", "br", "input"}

    def __init__(self, text):
        super().__init__()
        self.open, self.elements = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attributes for each, attributes in self.elements if each == tag]


@pytest.fixture(params=FIGURES)
def name(request):
    return request.param


@pytest.fixture
def text(folder, name):
    return (folder / name / "report" / f"{name}.html").read_text()


def test_every_figure_is_on_the_page_and_beside_it(folder, name, text):
    figures = len(FIGURES[name])
    assert [each["id"] for each in Page(text).all("section")][:figures] == FIGURES[name]
    images = [each for each in Page(text).all("img") if each["alt"]]  # none: a bit of a legend
    assert len(images) >= figures
    assert all(len(each["alt"]) > 40 for each in images)
    assert all(each["src"].startswith("data:image/svg+xml;base64,") for each in images)
    made = {path.name for path in (folder / name / "report").iterdir()}
    kinds = {f"{figure}.{kind}" for figure in FIGURES[name] for kind in ("png", "pdf")}
    assert made == {f"{name}.html"} | kinds
    for figure in FIGURES[name]:
        stem = folder / name / "report" / figure
        assert stem.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
        assert stem.with_suffix(".pdf").read_bytes().startswith(b"%PDF")


def test_a_page_loads_nothing_and_is_well_formed(text):
    page = Page(text)
    assert "http" not in text
    loaded = [a.get("src") or a.get("href") for t, a in page.elements if t in ("img", "link")]
    assert all(each.startswith("data:") for each in loaded)
    assert not re.search(r"url\(|@import", text)
    assert not any("src" in each for each in page.all("script"))


def test_every_link_leads_somewhere(folder, name, text):
    page = Page(text)
    home, ids = folder / name / "report", {a["id"] for _, a in page.elements if "id" in a}
    links = [each["href"] for each in page.all("a")]
    assert all(link[1:] in ids if link[0] == "#" else (home / link).exists() for link in links)
    beside = {f"../../{other}/report/{other}.html" for other in FIGURES if other != name}
    assert {"../../index.html", "../trials/", *beside} <= set(links)
    contents = [link[1:] for link in links if link[0] == "#"]
    assert contents == [each["id"] for each in page.all("section")]


def test_the_index_leads_to_every_page(folder):
    links = [each["href"] for each in Page((folder / "index.html").read_text()).all("a")]
    assert {f"{name}/report/{name}.html" for name in FIGURES} <= set(links)
    assert all((folder / link).exists() for link in links)


def test_what_holds_for_the_page_stands_there_once(folder, name, text):
    rows = made_up(name)
    assert text.count(f"<code>python -m benchmarks report {name} --out {folder}</code>") == 1
    assert text.count(f"{len(rows)} trials, ") == text.count("from 1 seed (0).") + 1 == 2
    assert text.count("Fisher" if name == "paper" else "Holm for all pairs") == 1
    assert "Not complete: " in text
    assert f"Made of the rows in {folder / name}." in text


def test_learning_curves_are_drawn_of_the_trials_that_have_one(name, text):
    rows = made_up(name)
    missing = "run without keeping learning curves" in text
    assert missing == ("learning" not in FIGURES[name])
    if not missing:
        with_curve = int((rows["trial"] % 2 == 0).sum())
        without = len(rows) - with_curve
        assert f"Curves of {with_curve} trials; {without} were run without keeping one." in text
        assert "A trial that has stopped keeps its last value" in text


def test_the_same_rows_make_the_same_files(folder, tmp_path):
    with matplotlib.rc_context(drawing.STYLE):
        compared = suites.load("paper").compared
        contents = paper_section.of_paper(compared, made_up("paper"), NO_POINTS)
        saved = html.saved(contents.pictures[0], tmp_path)
    made = folder / "paper" / "report"
    assert [each.title for each in saved.panels] == [f"Table {i}" for i in range(1, 10)]
    assert all(each.svg in (made / "paper.html").read_text() for each in saved.panels)
    for name in ("paper.png", "paper.pdf"):
        assert (tmp_path / name).read_bytes() == (made / name).read_bytes()


def lines(*cells):
    """Lines of experiments that need so many sequences: {(task, delay, cell): sequences}."""
    made = [
        replace(experiment(rate=i + 1.0), task=task, delay=delay, cell=cell)
        for i, (task, delay, cell, _) in enumerate(cells)
    ]
    done = [rows(each, *cell[-1]) for each, cell in zip(made, cells, strict=True)]
    return sections.labelled(made, pd.concat(done))


@pytest.mark.parametrize(("delays", "panels"), [((10, 20), ["t"]), ((10,), None)])
def test_success_is_drawn_against_delay_where_a_task_has_two(delays, panels):
    """A task with one delay had a panel in which all cells stood on one line."""
    made = [replace(experiment(), task="t", delay=delay) for delay in delays]
    made = [
        replace(each, rate=i + 1.0) for i, each in enumerate([*made, replace(made[0], task="u")])
    ]
    ran = pd.concat(rows(each, *GOOD) for each in made)
    contents = sections.of_cells(made, ran, NO_POINTS, None, ran[:0])
    shown = {each.name: list(each.panels) for each in contents.pictures}
    assert shown.get("delay") == panels
    assert any("not drawn against" in each for each in contents.notices) == (panels is None)


GOOD, BAD, PART = [40] * 5 + [80], [None] * 5 + [80], [40] * 2


def test_the_sentences_state_what_the_rows_say():
    found = lines(("t", 10, "a", GOOD), ("t", 10, "b", BAD), ("t", 20, "a", BAD))
    assert "Over the 1 task that every cell" in sentences.success(found)
    assert "solved by a (6 of 6), the smallest by b (1 of 6)" in sentences.success(found)
    assert sentences.delays(found).endswith(": t: a 10, b none.")
    assert "by a on 1 of 1 task;" in sentences.curves(found)
    assert "is a on 1 of 1 task; a trial takes from 2 to 2 seconds" in sentences.cost(found)


def test_the_sentences_of_ties_and_of_nothing():
    tied = lines(("t", 10, "a", GOOD), ("t", 10, "b", GOOD))
    assert "every cell solves 100% of its trials" in sentences.success(tied)
    assert "by a on 1 and b on 1 of 1 task;" in sentences.curves(tied)
    part = lines(("t", 10, "a", PART), ("t", 10, "b", PART))
    assert "cannot be compared" in sentences.success(part)
    assert sentences.delays(part) == "No experiment has all its trials yet."
    assert sentences.curves(part) == "No cell has solved half of its trials on any task."
    assert sentences.cost(part) == "No cell solves 95% of its trials on any task."


def test_the_mean_that_is_furthest_is_none_that_only_the_budget_ended():
    rows = {
        "row": ["2.3", "2.5", "7.1"],
        "variant": "",
        "trials": 6,
        "missing": 0,
        "ratio": [3.0, 0.2, 2.0],
        "bounded": [False, True, True],
    }
    found = pd.DataFrame(rows)
    assert sentences.furthest(found).endswith("paper's is 3 times it, in row 2.3.")
    assert sentences.furthest(found[1:]).endswith("is at least 2 times it, in row 7.1.")
    assert sentences.furthest(found[1:2]) == ""


def test_the_sentence_of_the_learning_curves():
    found = lines(("t", 10, "a", GOOD), ("t", 10, "b", BAD), ("u", 10, "a", GOOD))
    text = sentences.learning(found.assign(halved=[40, float("inf"), 40]))
    assert "below half of that of the best constant output first" in text
    assert text.endswith("with a on 2 of 2 tasks; it never does with b on 1.")
    text = sentences.learning(found.assign(halved=float("inf")))
    assert text.endswith("best constant output on any task.")
    part = lines(("t", 10, "a", PART)).assign(halved=40)
    assert sentences.learning(part) == "No experiment has all its trials yet."


def test_learning_curves_are_drawn_as_they_are():
    found = lines(("t", 10, "a", GOOD))
    quartiles = Quartiles(*np.array([[10, 20, 40], [0.1, 0.1, 0], [0.5, 0.2, 0], [0.6, 0.4, 0.1]]))
    panels = figures.learning(found, {found["digest"][0]: quartiles}, drawing.looks(["a"]))
    figure = drawing.alone(panels["t-10"])
    drawn, chance = figure.axes[0].lines
    assert drawn.get_xydata().tolist() == [[10, 0.5], [20, 0.2], [40, 0]]
    assert chance.get_ydata()[0] == 0.5  # of two-sequence
    (band,) = figure.axes[0].collections
    corners = {tuple(each) for each in band.get_paths()[0].vertices}
    assert {(10, 0.1), (20, 0.1), (40, 0), (10, 0.6), (20, 0.4), (40, 0.1)} <= corners


@pytest.mark.parametrize(
    ("seen", "reach", "text"),
    [
        (["a", "b"], [64, 16], "64 symbols, is used by a on t."),
        (["a", "b"], [float("inf")] * 2, "more than 64 symbols, is used by a and b on t."),
    ],
)
def test_the_sentence_of_how_far_back_nets_look(seen, reach, text):
    found = pd.DataFrame({"task": "t", "cell": seen, "reach": reach})
    assert sentences.reach(found) == f"Most of the past, {text}"


@pytest.mark.parametrize(
    ("low", "high", "most"), [(0.019, 0.038, 5), (1.0, 4.5, 5), (0.1, 9.0, 6), (30, 5e6, 6)]
)
def test_ticks_of_a_logarithmic_axis_have_room(low, high, most):
    """The labels of an axis from 0.019 to 0.038 ran into each other."""

    def draw(axis):
        axis.plot([low, high], [0, 1])
        drawing.log_axis(axis, "x")

    axis = drawing.alone(draw).axes[0]
    left, right = axis.get_xlim()
    assert 2 <= sum(left <= each <= right for each in axis.get_xticks()) <= most


def test_the_legend_names_what_is_drawn():
    made = [experiment(), replace(experiment(), cell="unseen", rate=7.0)]
    ran = rows(made[0], *GOOD)
    contents = sections.of_cells(made, ran, NO_POINTS, None, ran[:0])
    for each in contents.pictures:
        assert "unseen" not in each.looks


def test_a_heat_map_shows_counts_and_what_lacks():
    found = lines(("t", 10, "a", GOOD), ("t", 10, "b", PART), ("u", 10, "a", BAD))
    axis = figures.heat_map(found).axes[0]
    assert [each.get_text() for each in axis.texts] == ["6/6", "2/2\nof 6", "1/6"]
    assert len(axis.patches) == 1  # hatched


def test_every_lower_bound_has_an_arrow_that_is_drawn():
    lines = paper_rows.comparison(suites.load("paper").compared, made_up("paper"))
    bounded = lines[lines["bounded"].eq(True)]
    assert len(paper_figure.paper(bounded).axes[0].texts) == len(bounded) > 3
    left = paper_figure.paper(bounded[:1]).axes[0]  # with nothing further to the right
    (arrow,) = left.texts
    assert arrow.xy[0] < left.get_xlim()[1]


def test_looks_differ_in_more_than_colour():
    looks = drawing.looks([f"cell{i}" for i in range(40)])
    assert len(set(looks.values())) == 40
    first = list(looks.values())[:7]
    assert len({each.color for each in first}) == len({each.marker for each in first}) == 7


def shows(figure, label):
    """Whether a figure has this label in its legends or at its axes."""
    legends = [each.get_text() for legend in figure.legends for each in legend.get_texts()]
    ticks = [
        each.get_text()
        for axis in figure.axes
        for each in axis.get_xticklabels() + axis.get_yticklabels()
    ]
    return label in legends + ticks


@pytest.mark.slow
def test_ones_own_cell_stands_beside_the_committed_ones(tmp_path, monkeypatch):
    spec, suite = f"{ROOT}/tests/cells/leaky.py:Leaky", suites.load("quick")
    own = [
        search.at(each, search.DEFAULT)  # as a cell that has not been searched is run
        for each in Changes(cells=(spec,)).applied(suite)
    ]
    done = pd.concat([rows(each, *[2000] * 20, cell="Leaky", seed=0) for each in own])
    folder = tmp_path / "quick"
    store.add(folder / "trials" / "own.csv", done.to_dict("records"))
    curves = points(done).to_dict("records")
    store.add_curves(folder / "curves" / "own.csv", curves)
    seen = []

    def keep(picture, _):
        seen.append(picture)
        return html.Saved(picture, [], [], [])

    monkeypatch.setattr(html, "saved", keep)
    assert main(["report", "quick", "--cell", spec, "--out", str(tmp_path)]) == 0
    names = ["success", "sequences", "learning", "cost", "search", "importance"]
    assert [each.name for each in seen] == names
    assert all(shows(each.figure, "Leaky") for each in seen[:4])  # nothing was searched for it
    text = (folder / "report" / "quick.html").read_text()
    assert text.count('<th scope="row">Leaky</th>') == len(own) == 6
    assert f"report quick --cell {spec} --out {tmp_path}" in text
    assert f"Those of Leaky: {folder}." in text
    assert "reference" not in text  # the others are the committed rows themselves


def failing(arguments, capsys):
    assert main(["report", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


def test_misuse_is_one_line_and_status_2(tmp_path, capsys):
    assert "no suite 'fast'; there are:" in failing(["quick", "fast"], capsys)
    assert "no experiment of quick is called 'adin" in failing(["quick", "--only", "adin*"], capsys)
    assert "required: SUITE" in failing([], capsys)
    assert "no rows of smoke in" in failing(["smoke", "--out", str(tmp_path)], capsys)
    own = ["--cell", f"{ROOT}/tests/cells/leaky.py:Leaky", "--out", str(tmp_path)]
    assert "make some with: python -m benchmarks run smoke --cell" in failing(
        ["smoke", *own], capsys
    )
    assert "it takes no other cell" in failing(["paper", *own], capsys)
    own[1] = str(tmp_path / "my.py:lstm")
    (tmp_path / "my.py").write_text("from flax.nnx import GRUCell as lstm")
    assert "suite smoke has a cell lstm of its own" in failing(["smoke", *own], capsys)
    (tmp_path / "file").write_text("mine")
    error = failing(["latch", "--out", str(tmp_path / "file")], capsys)
    assert "cannot write results to" in error
    assert (tmp_path / "file").read_text() == "mine"


def test_a_suite_without_rows_does_not_keep_the_others_from_being_written(tmp_path, capsys):
    trials = tmp_path / "fidelity" / "trials"
    trials.mkdir(parents=True)
    some = suites.load("fidelity").experiments[:40]
    pd.concat([rows(each, 400, None) for each in some]).to_csv(trials / "all.csv", index=False)
    assert main(["report", "smoke", "fidelity", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "fidelity/report/fidelity.html" in printed
    assert "No report of smoke: it has no rows; make some with: python -m benchmarks run smoke" in (
        printed.replace("\n", " ")
    )
    page = Page((tmp_path / "fidelity" / "report" / "fidelity.html").read_text())
    ids = [each["id"] for each in page.all("section")]
    assert ids == ["paper", "results", "definitions", "glossary", "source"]


def test_the_page_of_readings_shows_rows_by_readings_and_names_the_best(tmp_path):
    trials = tmp_path / "readings" / "trials"
    trials.mkdir(parents=True)
    known = {each.experiment.digest: each for each in suites.load("readings").compared}
    mean = paper_rows.reference().loc["7.1", "sequences"]
    right = [e.experiment for e in known.values() if e.row == "7.1" and "half" in e.variant]
    made = [rows(each, *[mean] * 10, cell=each.cell, task=each.task) for each in right]
    pd.concat(made).to_csv(trials / "all.csv", index=False)
    assert main(["report", "readings", "--out", str(tmp_path)]) == 0
    page = Page((tmp_path / "readings" / "report" / "readings.html").read_text())
    ids = [each["id"] for each in page.all("section")]
    assert ids == ["readings", "agreement", "results", "definitions", "glossary", "source"]
    text = (tmp_path / "readings" / "report" / "readings.html").read_text()
    assert re.search(r"The most rows agree under \S*half\S*: 1 of 1\.", text)


def test_the_page_of_chosen_readings_has_the_literal_one_beside_them(tmp_path):
    trials = tmp_path / "best-readings" / "trials"
    trials.mkdir(parents=True)
    known = [e.experiment for e in suites.load("best-readings").compared if e.row == "7.1"]
    made = [rows(each, *[9] * 50, cell=each.cell, task=each.task) for each in set(known)]
    pd.concat(made).to_csv(trials / "all.csv", index=False)
    assert main(["report", "best-readings", "--out", str(tmp_path)]) == 0
    page = Page((tmp_path / "best-readings" / "report" / "best-readings.html").read_text())
    ids = [each["id"] for each in page.all("section")]
    assert ids[:4] == ["readings", "agreement", "unseen", "results"]


def test_only_some_of_the_experiments(tmp_path):
    trials = tmp_path / "smoke" / "trials"
    trials.mkdir(parents=True)
    made_up("smoke").to_csv(trials / "all.csv", index=False)
    assert main(["report", "smoke", "--only", "adding-*", "--out", str(tmp_path)]) == 0
    text = (tmp_path / "smoke" / "report" / "smoke.html").read_text()
    table = text[text.index('<section id="results">') : text.index('<section id="pairs">')]
    assert table.count("<td") > 0
    assert set(re.findall(r'<td class="words">(.*?-\d+)</td>', table)) == {"adding-20"}
    assert f"report smoke --only &#39;adding-*&#39; --out {tmp_path}" in text


def test_panels_in_which_nothing_was_learnt_are_folded(tmp_path):
    found = lines(("t", 10, "a", GOOD), ("u", 10, "a", [None] * 6))
    picture = sections._cost(found, drawing.looks(["a"]))
    assert picture.folded == {"u"}
    saved = html.saved(picture, tmp_path)
    assert [each.title for each in saved.panels] == ["t"]
    assert [each.title for each in saved.folded] == ["u"]


def test_a_wide_heat_map_is_shown_in_parts():
    found = lines(*(("t", 10, f"cell{i}", GOOD) for i in range(13)))
    parts = figures.narrow_heat_maps(found)
    cells = [each.get_text() for part in parts.values() for each in part.axes[0].get_xticklabels()]
    assert cells == [f"cell{i}" for i in range(13)]
    assert [len(part.axes[0].texts) for part in parts.values()] == [4, 4, 5]


LOOKS = """<script>
const shown = () => [...document.querySelectorAll("#results tbody tr")].filter(row => !row.hidden);
const columns = () => shown().map(row => row.cells[WHICH].textContent);
document.querySelectorAll("#results th button")[WHICH].click();
document.body.dataset.up = columns().join(";");
document.querySelectorAll("#results th button")[WHICH].click();
document.body.dataset.down = columns().join(";");
document.body.dataset.broken = [...document.images].filter(each => !each.naturalWidth).length;
document.body.dataset.wide = document.documentElement.scrollWidth > innerWidth;
const [box, note] = ["box", "hint"].map(name => document.querySelector(`#results .${name}`));
document.body.dataset.scrolls = box.scrollWidth > box.clientWidth;
document.body.dataset.hinted = getComputedStyle(note).display !== "none";
const deciding = ["verdict", "solved", "weights", "rate", "seconds/trial", "minutes"];
document.body.dataset.decided = [...document.querySelectorAll("#results th")].filter(
  head => deciding.includes(head.textContent)
    && head.getBoundingClientRect().right <= box.getBoundingClientRect().right).length;
const panels = [...document.querySelectorAll(".panel")].map(each => each.getBoundingClientRect());
document.body.dataset.abreast = panels.filter(each => each.top === panels[0].top).length;
document.body.dataset.scale = panels[0].width / document.querySelector(".panel img").naturalWidth;
const filter = document.querySelector("#results .filter");
if (filter) {
  filter.value = "LAG 3";
  filter.dispatchEvent(new Event("input"));
}
document.body.dataset.kept = shown().map(row => row.textContent).join(";");
</script></body>"""


def browsed(path, profile, width):
    """The page in a browser: its DOM after its scripts, and what the browser logged."""
    offline = "disable-quic no-first-run disable-background-networking disable-component-update"
    flags = f"headless no-sandbox disable-gpu {offline} disable-sync dump-dom enable-logging=stderr"
    return subprocess.run(
        [
            CHROMIUM,
            *(f"--{flag}" for flag in flags.split()),
            "--v=0",
            f"--window-size={width},1000",
            f"--user-data-dir={profile}",
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


needs_browser = pytest.mark.skipif(
    not os.access(CHROMIUM, os.X_OK), reason=f"there is no {CHROMIUM}: the pages were not looked at"
)


@needs_browser
def test_a_mistake_in_a_script_would_be_seen(tmp_path):
    (tmp_path / "page.html").write_text("<body><script>nothing.at.all</script></body>")
    assert "CONSOLE" in browsed(tmp_path / "page.html", tmp_path / "profile", 400).stderr


@needs_browser
@pytest.mark.parametrize(
    ("suite", "column", "width"),
    [("latch", 2, 500), ("paper", 0, 500), ("latch", 2, 1400), ("paper", 0, 1400)],
)
def test_a_browser_shows_everything_sorts_and_filters(folder, tmp_path, suite, column, width):
    text = (folder / suite / "report" / f"{suite}.html").read_text()
    page = tmp_path / "page.html"
    page.write_text(text.replace("</body>", LOOKS.replace("WHICH", str(column))))
    done = browsed(page, tmp_path / "profile", width)
    assert "CONSOLE" not in done.stderr
    (body,) = (each for tag, each in Page(done.stdout).elements if tag == "body")
    assert body["data-broken"] == "0"
    assert body["data-wide"] == "false"  # tables scroll inside their own box
    narrow = width < 1400
    assert body["data-scrolls"] == body["data-hinted"]
    assert body["data-scrolls"] == "true" or not narrow
    assert body["data-decided"] == "4" or narrow
    assert int(body["data-abreast"]) == (1 if narrow or suite == "latch" else 3)
    up, down = (body[f"data-{each}"].split(";") for each in ("up", "down"))
    assert len(up) > 3
    assert down == up[::-1]
    keys = [rank(each) for each in up]
    assert keys == sorted(keys)
    kept = body["data-kept"].split(";")
    assert (len(kept) < len(up)) == (suite == "paper")  # a table of few rows has no filter
    if suite == "paper":
        assert len(kept) >= 9
        assert all("lag" in each and "3" in each for each in kept)


def rank(text):
    """What a solved count or a row number sorts by."""
    solved, _, of = text.partition("/")
    return int(solved) / int(of) if of else float(solved)


def test_the_committed_results_have_rows_for_make_report():
    makefile = (ROOT / "Makefile").read_text()
    (names,) = re.findall(r"benchmarks report (.*) --out results", makefile)
    assert all((RESULTS / name).is_dir() or name == "paper" for name in names.split())
