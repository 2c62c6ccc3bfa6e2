"""What a page consists of: pictures, matrices, tables, and what explains them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.report import drawing
from benchmarks.report.drawing import Draw, Look


class Picture(NamedTuple):
    """A figure and what stands around it.

    Attributes:
        name: stem of its files and name of its section.
        title: heading of the section.
        figure: the whole of it, for a file beside the page.
        panels: its parts by their titles, each as wide as a phone, for the page.
        alt: what it shows, for those who do not see it.
        sentence: what it tells.
        statistic: how to read it.
        looks: the cells' lines, for a legend; empty if the panels have their own.
        folded: titles of the panels in which there is nothing to see.
    """

    name: str
    title: str
    figure: Figure
    panels: Mapping[str, Figure]
    alt: str
    sentence: str
    statistic: str
    looks: Mapping[str, Look] = {}
    folded: frozenset[str] = frozenset()


class Sheet(NamedTuple):
    """A table; the columns that decide come first."""

    name: str
    title: str
    frame: pd.DataFrame


class Better(NamedTuple):
    """A matrix of cells for each task, `pairwise.better`, and what stands above them."""

    matrices: dict[str, pd.DataFrame]
    sentence: str


class Contents(NamedTuple):
    """What stands on a page, in this order.

    Attributes:
        notices: what a reader must know first.
        pictures: figures.
        better: which cell is better, if cells are compared.
        sheets: tables.
        definitions: what holds for the whole page, by its subject.
        glossary: what names of tasks and cells mean.
    """

    notices: Sequence[str]
    pictures: Sequence[Picture]
    better: Better | None
    sheets: Sequence[Sheet]
    definitions: Mapping[str, str]
    glossary: Mapping[str, Mapping[str, str]]


def panelled(
    name: str,
    title: str,
    draws: Mapping[str, Draw],
    looks: Mapping[str, Look],
    folded: frozenset[str] = frozenset(),
    heading: str = "",
    heights: Mapping[str, float] = {},
    **texts: str,
) -> Picture:
    """A picture of panels; `looks` and `heading` stand above its figure, `texts` around it.

    `heights` is as in `drawing.together`.
    """
    panels = {
        each: drawing.alone(draw, heights.get(each, drawing.PANEL)) for each, draw in draws.items()
    }
    whole = drawing.together(draws, looks, heading, heights)
    return Picture(name, title, whole, panels, looks=looks, folded=folded, **texts)
