"""HTML: templates, and pictures that a page carries in itself."""

import base64
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import jinja2
from matplotlib.figure import Figure

from benchmarks.report import drawing
from benchmarks.report.contents import Picture
from benchmarks.running import files


class Panel(NamedTuple):
    """A part of a picture: its title, and its SVG in base 64."""

    title: str
    svg: str


class Saved(NamedTuple):
    """A picture whose figure has been written.

    Attributes:
        picture: the picture.
        legend: a bit of line for each cell.
        panels: the parts to be shown.
        folded: those in which there is nothing to see.
    """

    picture: Picture
    legend: Sequence[Panel]
    panels: Sequence[Panel]
    folded: Sequence[Panel]


def saved(picture: Picture, folder: Path) -> Saved:
    """Writes the whole figure as PNG and PDF, and prepares its parts for the page.

    Raises:
        UsageError: the folder cannot be written.
    """
    for kind, made in drawing.rendered(picture.figure, ("png", "pdf")).items():
        files.write(folder / f"{picture.name}.{kind}", made)
    panels = [Panel(title, _svg(figure)) for title, figure in picture.panels.items()]
    return Saved(
        picture,
        [Panel(cell, _sample(look)) for cell, look in picture.looks.items()],
        [each for each in panels if each.title not in picture.folded],
        [each for each in panels if each.title in picture.folded],
    )


@functools.cache
def _sample(look: drawing.Look) -> str:
    """Many figures of a page have the same looks."""
    return _svg(drawing.sample(look))


def _svg(figure: Figure) -> str:
    return base64.b64encode(drawing.rendered(figure, ("svg",))["svg"]).decode()


def rendered(template: str, **values) -> str:
    """A page, from its template and the values of its variables."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)
