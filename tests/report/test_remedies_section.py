from dataclasses import replace

import matplotlib
import pandas as pd

from benchmarks import suites
from benchmarks.analysis import tables
from benchmarks.cli.main import main
from benchmarks.report import drawing, remedies_section, sections
from benchmarks.running import store, trained_flow
from tests.support.made_up import rows

SUITE = suites.load("remedies")
CHOSEN = [
    replace(each, rate=0.01, trials=4)
    for each in SUITE.experiments
    if each.cell in ("rnn", "rnn-norm-clip") and each.delay in (100, 200)
]


def contents(flow):
    found = pd.concat(
        [
            rows(each, 100, 200, None, 400, task=each.task, delay=each.delay, cell=each.cell)
            for each in CHOSEN
        ]
    )
    with matplotlib.rc_context(drawing.STYLE):
        whole = sections.of_cells(CHOSEN, found, pd.DataFrame(), None, pd.DataFrame())
        lines = tables.summary(CHOSEN, found)
        return remedies_section.with_remedies(whole, SUITE.remedies, lines, flow)


def flow():
    """Half of an error is left at the whole delay."""
    lines = [
        {
            **{name: getattr(each, name) for name in ("task", "delay", "cell", "digest")},
            **{"experiment": each.name, "seed": 0, "networks": 3},
            **{"time": time, "distance": d, "low": 0.1, "median": m, "high": 1.0},
        }
        for each in CHOSEN
        for time in ("before", "after")
        for d, m in ((1, 1.0), (10, 1e-30), (each.delay, 0.5))
    ]
    return store.frame(lines, trained_flow.COLUMNS)


def test_the_page_has_a_sentence_on_each_remedy_and_their_gradients():
    found = contents(flow())
    sheet = found.sheets[0].frame.set_index("remedy")
    assert list(sheet.index) == ["rnn", "rnn-norm-clip"]
    assert "Of an error, 0.5 is left after training" in sheet.loc["rnn-norm-clip", "effect"]
    picture = next(each for each in found.pictures if each.name == "gradients")
    assert list(picture.panels) == ["rnn", "rnn-norm-clip"]
    (axis,) = picture.panels["rnn-norm-clip"].axes
    tasks = list(dict.fromkeys(each.task for each in CHOSEN))
    assert len(axis.lines) == 2 * len(tasks)
    assert list(axis.lines[0].get_ydata()) == [1.0, remedies_section.SMALLEST / 10, 0.5]
    assert list(axis.lines[0].get_xdata()) == [1, 10, 100]
    looks = {(line.get_color(), line.get_linestyle()) for line in axis.lines}
    assert len(looks) == len(axis.lines)
    assert [line.get_linestyle() for line in axis.lines[:2]] == [":", "-"]


def test_without_measured_networks_the_page_says_so():
    found = contents(store.frame([], trained_flow.COLUMNS))
    assert found.notices[-1].startswith("Gradients are not drawn")
    assert "gradients" not in [each.name for each in found.pictures]
    assert "Solves 9 of 15" not in found.sheets[0].frame["effect"][0]


def test_the_page_shows_what_those_have_published_who_proposed_the_remedies(tmp_path):
    each = CHOSEN[0]
    made = rows(each, 100, None, task=each.task, delay=each.delay, cell=each.cell, seed=0)
    trials = tmp_path / "remedies" / "trials" / f"{each.name}.csv"
    own = next(e for e in SUITE.experiments if e.name == each.name)
    store.add(trials, made.assign(digest=own.digest).to_dict("records"))
    assert main(["report", "remedies", "--only", each.name, "--out", str(tmp_path)]) == 0
    page = (tmp_path / "remedies" / "report" / "remedies.html").read_text()
    table = page.partition('<section id="published">')[2].partition("</table>")[0]
    assert "Sutskever et al. 2013 (Table 5)" in table
    assert "Pascanu et al. 2013" in table
    assert "Bai et al." not in table
    assert "ours are the rows of suite anchors" in page
