"""The report of a suite: one HTML page without a network, and its figures as PNG and PDF."""

import base64
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jinja2
import matplotlib
import pandas as pd
from rich.console import Console

from benchmarks import suites
from benchmarks.analysis import tables
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.report import figures, sections
from benchmarks.running import store
from benchmarks.suites.base import FlowSuite, PaperSuite, Suite
from benchmarks.suites.common import RESULTS


class Own(NamedTuple):
    """A user's own cell: `FILE:CLASS`, and its experiments in each suite."""

    spec: str
    experiments: Mapping[str, Sequence[Experiment]]


class Source(NamedTuple):
    """What a report is made of.

    Attributes:
        experiments: the suite's, then those of the user's own cell.
        rows: their rows.
        points: the points of those trials' learning curves.
        committed: whether the suite's own rows are the committed ones.
        text: a sentence that says which rows they are.
    """

    experiments: Sequence[Experiment]
    rows: pd.DataFrame
    points: pd.DataFrame
    committed: bool
    text: str


def write(names: Sequence[str], out: Path | None, own: Own | None, console: Console) -> None:
    """Writes the report of each suite that has rows, to `<out>/<suite>/report`.

    Args:
        names: the suites.
        out: folder of results; `results/local` by default. Rows are read from there, or, where it
            has none of a suite, from the committed results.
        own: a user's own cell that is to stand beside the others; its rows are read from `out`.
        console: where to say what was written, and of which suites there is nothing to write.

    Raises:
        UsageError: there is no such suite, none has rows, the own cell has none or the name of
            another, or the folder cannot be written.
    """
    loaded = {name: suites.load(name) for name in dict.fromkeys(names)}
    local = out or RESULTS / "local"
    sources = {name: _source(name, suite, local / name) for name, suite in loaded.items()}
    if own:
        sources = {
            name: _with_own(name, source, own, local / name) for name, source in sources.items()
        }
    bare = [name for name, source in sources.items() if source.rows.empty]
    if len(bare) == len(loaded):
        raise UsageError(
            f"no rows of {', '.join(bare)} in {_shown(local)} or {_shown(RESULTS)}; "
            f"make some with: python -m benchmarks run {bare[0]}"
        )
    for name in (name for name in loaded if name not in bare):
        folder = local / name / "report"
        store.require_writable(folder)
        command = f"python -m benchmarks report {name}"
        command += f" --cell {shlex.quote(own.spec)}" if own else ""
        command += f" --out {shlex.quote(str(out))}" if out else ""
        page = _page(name, loaded[name], sources[name], command, folder)
        store.write(folder / f"{name}.html", page)
        console.print(f"{_shown(folder)}/{name}.html", highlight=False, soft_wrap=True)
    for name in bare:
        console.print(
            f"No report of {name}: it has no rows; make some with: python -m benchmarks run {name}",
            highlight=False,
        )


def _source(name: str, suite: Suite, local: Path) -> Source:
    """The rows in `local`, or, where it has none of this suite, the committed ones."""
    committed, experiments, columns = RESULTS / name, suite.experiments, suite.columns
    rows, points = _read(experiments, local, columns)
    if local.resolve() == committed:
        text = f"Made of the committed rows in {_shown(committed)}."
        return Source(experiments, rows, points, True, text)
    if len(rows):
        return Source(experiments, rows, points, False, f"Made of the rows in {_shown(local)}.")
    text = f"Made of the committed rows in {_shown(committed)}; {_shown(local)} has none."
    return Source(experiments, *_read(experiments, committed, columns), True, text)


def _with_own(name: str, source: Source, own: Own, local: Path) -> Source:
    """The source with the rows that a user's own cell has in `local`.

    Raises:
        UsageError: it has none there, or a cell of the suite has its name.
    """
    experiments = own.experiments[name]
    label = experiments[0].cell
    if label in {each.cell for each in source.experiments}:
        raise UsageError(f"suite {name} has a cell {label} of its own; rename the class")
    rows, points = _read(experiments, local, suites.load(name).columns)
    if rows.empty:
        raise UsageError(
            f"no rows of {label} in {_shown(local)}; make some with: "
            f"python -m benchmarks run {name} --cell {own.spec}"
        )
    return source._replace(
        experiments=[*source.experiments, *experiments],
        rows=pd.concat([source.rows, rows], ignore_index=True) if len(source.rows) else rows,
        points=pd.concat([source.points, points]) if len(source.points) else points,
        text=f"{source.text} Those of {label}: {_shown(local)}.",
    )


def _read(
    experiments: Sequence[Experiment], folder: Path, columns: dict[str, str | type]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of these experiments, and the curves of the trials that have one."""
    rows = tables.current(experiments, store.read_suite(folder, columns))
    return rows, store.read_curves(folder).merge(rows[store.IDENTITY])


def _shown(path: Path) -> str:
    """A path for people: inside the project from its root on."""
    path, root = path.resolve(), RESULTS.parent
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _page(name: str, suite: Suite, source: Source, command: str, folder: Path) -> str:
    """The page; its figures are written on the way."""
    with matplotlib.rc_context(figures.STYLE):
        contents = _contents(name, suite, source)
        svgs = [_save(picture, folder) for picture in contents.pictures]
    return _template().render(
        name=name,
        title=suite.title,
        source=source.text,
        origin=tables.origin(source.rows),
        command=command,
        pictures=list(zip(contents.pictures, svgs, strict=True)),
        contents=contents,
    )


def _contents(name: str, suite: Suite, source: Source) -> sections.Contents:
    if isinstance(suite, PaperSuite):
        return sections.of_paper(suite, source.rows, source.points)
    if isinstance(suite, FlowSuite):
        return sections.of_flow(suite, source.rows)
    reference = None
    if not source.committed:
        committed = tables.current(suite.experiments, store.read_suite(RESULTS / name))
        reference = None if committed.empty else committed
    return sections.of_cells(source.experiments, source.rows, source.points, reference)


def _save(picture: sections.Picture, folder: Path) -> str:
    """Writes PNG and PDF; returns the SVG, in base 64, for the page."""
    made = figures.rendered(picture.figure, ("svg", "pdf", "png"))
    for kind in ("png", "pdf"):
        store.write(folder / f"{picture.name}.{kind}", made[kind])
    return base64.b64encode(made["svg"]).decode()


def _template() -> jinja2.Template:
    text = (Path(__file__).parent / "report.html").read_text(encoding="utf-8")
    return jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(text)
