import pandas as pd
import pytest
from matplotlib.colors import to_hex

from benchmarks.analysis import tried
from benchmarks.analysis.lengths import reach
from benchmarks.analysis.profile import profile
from benchmarks.analysis.ranking import ranking
from benchmarks.learning import space
from benchmarks.learning.descents import ElementClip, Plain, ScheduledNesterov, SkipLarge
from benchmarks.learning.penalties import Omega
from benchmarks.learning.remedies import Remedied
from benchmarks.report import drawing, overall_figure, search_figure, searched
from benchmarks.running import search
from tests.support import made_up
from tests.support.tiny import EXPERIMENT, experiment

BUDGET = EXPERIMENT.recipe.budget
TRIED = pd.concat(
    [
        made_up.searched(lambda drawn: 390 if drawn.rate > 0.003 else None, count=6, cell="lstm"),
        made_up.searched(lambda drawn: 3, ("scale",), count=6, cell="rnn"),
    ]
)


def drawn(draw):
    """The points of a panel from top left to bottom right: (x, y, colour, marker, size)."""
    axis = drawing.alone(draw).axes[0]
    points = [
        (x, y, to_hex(line.get_color()), line.get_marker(), line.get_markersize())
        for line in axis.lines
        for x, y in line.get_xydata().tolist()
    ]
    return axis, sorted(points, key=lambda point: (point[1], point[0]))


def test_every_configuration_is_a_point_at_its_setting():
    lines = tried.configurations(TRIED)
    lines = lines.assign(chosen=[True] + [False] * (len(lines) - 1))
    draws, heights = search_figure.strips(lines)
    assert list(draws) == ["t-100: rate", "t-100: memory", "t-100: scale"]
    assert heights["t-100: rate"] > heights["t-100: scale"]
    axis, points = drawn(draws["t-100: rate"])
    assert [each.get_text() for each in axis.get_yticklabels()] == ["lstm", "rnn"]
    looks = search_figure.looks(BUDGET)
    slow, quick = looks["up to 400 sequences"].color, looks["up to 4 sequences"].color
    colors = [slow if rate > 0.003 else "#999999" for rate in lines["rate"][:6]] + [quick] * 6
    sizes = [8] + [4.5] * 11
    expected = [
        (line.cell, line.rate, color, size)
        for line, color, size in zip(lines.itertuples(), colors, sizes, strict=True)
    ]
    shown = [(["lstm", "rnn"][round(y)], x, color, size) for x, y, color, _, size in points]
    assert shown == sorted(expected)
    low, high = axis.get_xlim()
    assert low < space.RATE.low < min(lines["rate"]) < max(lines["rate"]) < space.RATE.high < high
    assert len(drawn(draws["t-100: memory"])[1]) == len(drawn(draws["t-100: scale"])[1]) == 6


def test_numbers_of_remedies_have_panels_of_their_own():
    learners = {
        "guarded": Remedied(guard=SkipLarge(), penalty=Omega()),
        "other": Remedied(guard=ElementClip()),
        "scheduled": Remedied(descent=ScheduledNesterov()),
    }
    made = [
        made_up.searched(lambda drawn: 3, ("scale",), 6, cell, learner)
        for cell, learner in learners.items()
    ]
    lines = tried.configurations(pd.concat(made)).assign(chosen=False)
    draws, _ = search_figure.strips(lines)
    names = ("rate", "scale", "threshold", "strength", "momentum")
    assert list(draws) == [f"t-100: {name}" for name in names]
    axis, points = drawn(draws["t-100: threshold"])
    assert [each.get_text() for each in axis.get_yticklabels()] == ["guarded", "other"]
    assert [x for x, y, *_ in points if y == 0] == sorted(lines["threshold"][:6])
    low, high = axis.get_xlim()
    assert low < 0.01 < 100 < high  # the ends of both guards' ranges
    axis, points = drawn(draws["t-100: momentum"])
    assert len(points) == 6
    assert axis.get_xlabel() == "1 - largest momentum"
    (picture, *_) = searched.search([EXPERIMENT], pd.concat(made)).pictures
    assert "threshold of the guard, strength of the penalty" in picture.alt
    assert "memory" not in picture.alt


def test_the_outer_tenths_of_each_learners_rates_are_shaded():
    other = {"cell": "other", "learner": repr(Remedied(descent=Plain()))}
    plain = TRIED.assign(digest="of " + TRIED["digest"], **other)
    lines = tried.configurations(pd.concat([TRIED, plain])).assign(chosen=False)
    axis, _ = drawn(search_figure.strips(lines)[0]["t-100: rate"])
    shaded = [each.get_paths()[0].get_extents() for each in axis.collections]
    ends = [(space.RATE, 0), (space.RATE, 1), (space.PLAIN_RATE, 2)]
    expected = [
        (pytest.approx(low), line - 0.5, pytest.approx(high), line + 0.5)
        for own, line in ends
        for low, high in (
            (space.RATE.low, own.low * (own.high / own.low) ** 0.1),
            (own.high / (own.high / own.low) ** 0.1, space.PLAIN_RATE.high),
        )
    ]
    assert [(each.x0, each.y0, each.x1, each.y1) for each in shaded] == expected


def test_the_page_of_a_search_says_what_was_chosen_and_what_matters(monkeypatch):
    found = searched.search([EXPERIMENT], TRIED)
    assert [each.name for each in found.pictures] == ["search", "importance"]
    assert "has rnn (100%), the smallest lstm (" in found.pictures[0].sentence
    assert found.sheet.frame["configurations"].tolist() == [6, 6]
    importance = found.sheet.frame.set_index("cell").loc["lstm", "importance of rate"]
    assert importance.endswith("%")
    assert (found.sheet.frame.set_index("cell").loc["rnn", "importance of rate"]) == ""  # all alike
    monkeypatch.setattr(tried, "can_tell_importance", lambda: False)
    found = searched.search([EXPERIMENT], TRIED)
    assert [each.name for each in found.pictures] == ["search"]
    assert found.note == tried.NO_IMPORTANCE
    assert list(found.sheet.frame) == ["task", "cell", "configurations", "with success"]


def test_the_chosen_configuration_is_ringed():
    tried_by_it = search.untested(experiment(rate=0.02))
    rows = made_up.rows(tried_by_it, 100, clip=1.0, memory_low=2.0, memory_high=9.0)
    (picture, *_) = searched.search([experiment(rate=0.02)], rows).pictures
    (line,) = picture.panels[f"x-{rows['delay'][0]}: rate"].axes[0].lines
    assert line.get_markersize() == 8


def test_panels_of_tasks_that_nobody_solved_are_folded():
    nothing = made_up.searched(lambda drawn: None, count=3)
    (picture,) = searched.search([EXPERIMENT], nothing).pictures
    assert picture.folded == set(picture.panels)


def several(**trials):
    return pd.concat(
        made_up.rows(EXPERIMENT, *each, task="t", cell=cell) for cell, each in trials.items()
    )


def test_profile_and_ranks_are_drawn_as_they_are():
    rows = several(a=[100, 200], b=[None, 300])
    looks = drawing.looks(["a", "b"])
    draws = overall_figure.overall(profile(rows), ranking(rows), looks)
    left, right = (drawing.alone(draw).axes[0] for draw in draws.values())
    step = {line.get_color(): line.get_xydata().tolist() for line in left.lines[::2]}
    expected = [[100, 0], [200, 0], [300, 0.5], [BUDGET, 0.5]]
    assert step[looks["b"].color] == expected
    assert [each.get_text() for each in right.get_yticklabels()] == ["a", "b"]
    assert [line.get_xdata()[0] for line in right.lines[1::2]] == [1, 2]
    (picture,) = searched.overall(rows, looks)
    assert picture.sentence.startswith("Over 1 task, a has the best mean rank (1.0, ")


def test_success_on_longer_sequences_is_drawn_by_length():
    rows = several(a=[100, 200], b=[100, None])
    rows["longer_2"], rows["longer_5"], rows["longer_10"] = 0.8, 0.5, 0.2
    looks = drawing.looks(["a", "b", "c"])
    draws = overall_figure.lengths(reach(rows), {"t-1": 0.1}, looks)
    axis = drawing.alone(draws["t-1"]).axes[0]
    *cells, chance = axis.lines
    assert chance.get_ydata()[0] == 0.1
    shift = drawing.apart(looks)["a"]
    assert cells[0].get_ydata().tolist() == pytest.approx(
        [each + shift for each in (0.9, 0.8, 0.5, 0.2)]
    )
    lines = pd.DataFrame({"task": ["t-1"], "chance_right": [0.1]})
    (picture,) = searched.longer(lines, rows, looks)
    assert list(picture.looks) == ["a", "b"]
    assert picture.sentence.startswith("Of the cells that solve all of these tasks, a is right")
    other = rows[rows["cell"] == "b"].assign(task="u", longer_10=1.0)
    lines = pd.DataFrame({"task": ["t-1", "u-1"], "chance_right": [0.1, 0.1]})
    (picture,) = searched.longer(lines, pd.concat([rows, other]), looks)
    assert ", b is right most often at 10 times the delay: 60%" in picture.sentence
    assert searched.longer(lines, rows.assign(outcome="spent"), looks) == []


def test_lengths_of_many_cells_are_points_in_a_row_for_each():
    cells = [f"cell{i}" for i in range(drawing.FEW + 1)]
    rows = several(**{cell: [100, 200] for cell in cells})
    rows["longer_2"], rows["longer_5"], rows["longer_10"] = 0.8, 0.5, 0.2
    lines = pd.DataFrame({"task": ["t-1"], "chance_right": [0.1]})
    (picture,) = searched.longer(lines, rows, drawing.looks(cells))
    assert list(picture.looks) == [f"{each}x the delay" for each in (1, 2, 5, 10)]
    axis = picture.panels["t-1"].axes[0]
    assert [each.get_text() for each in axis.get_yticklabels()] == cells
    points = [line.get_xydata().tolist() for line in axis.lines if len(line.get_xdata()) == 1]
    expected = [[[right, y]] for y in range(len(cells)) for right in (0.9, 0.8, 0.5, 0.2)]
    assert points == expected


@pytest.mark.parametrize(("count", "rotation"), [(5, 0), (6, 90)])
def test_names_of_many_settings_stand_upright(count, rotation):
    means = pd.DataFrame([[0.1] * count], index=["a"], columns=list(tried.SETTINGS)[:count])
    (axis,) = search_figure.importances(means).axes
    assert {label.get_rotation() for label in axis.get_xticklabels()} == {rotation}
