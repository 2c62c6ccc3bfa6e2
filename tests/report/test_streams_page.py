import matplotlib
import numpy as np

from benchmarks import suites
from benchmarks.analysis import streams
from benchmarks.report import drawing, sections
from benchmarks.report.contents import Contents
from tests.support.made_up import of_streams, rows

SUITE = suites.load("streams")
KNOWN = {each.name: each for each in SUITE.experiments}
NOTHING = Contents([], [], None, [], {}, {})


def page(found):
    with matplotlib.rc_context(drawing.STYLE):
        return sections.with_streams(NOTHING, SUITE.experiments, found)


def test_how_far_back_the_nets_look():
    experiment = KNOWN["quotes-10.gru"]
    contents = page(of_streams(experiment, 10_000, None, prefixes=[1000, 40]))
    (picture,) = contents.pictures
    assert (picture.name, list(picture.panels)) == ("contexts", ["quotes-10"])
    assert list(picture.looks) == ["gru"]
    assert picture.sentence == "Most of the past, 64 symbols, is used by gru on quotes-10."
    (axis,) = picture.panels["quotes-10"].axes
    (line,) = axis.lines
    assert line.get_xdata().tolist() == [1, 4, 16, 64, 256]
    np.testing.assert_allclose(line.get_ydata(), [0.92, 0.42, 0.16, 0.125, 0.12])
    assert [sheet.name for sheet in contents.sheets] == ["published", "predictions"]
    assert contents.definitions["Streams"] == streams.RULES.replace("`", "")


def test_a_page_without_rows_of_streams_stays_as_it_is():
    assert page(rows(KNOWN["order-6b-100.standard"], 1000)) == NOTHING
