"""The report of a suite: one HTML page without a network, and its figures as PNG and PDF."""

import base64
import shlex
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import jinja2
import matplotlib
import pandas as pd
from rich.console import Console

from benchmarks import figures, sections, store, suites, tables
from benchmarks.errors import UsageError
from benchmarks.modern import RESULTS


def write(names: Sequence[str], out: Path | None, console: Console) -> None:
    """Writes the report of each suite that has rows, to `<out>/<suite>/report`.

    Args:
        names: the suites.
        out: folder of results; `results/local` by default. Rows are read from there, or, where it
            has none of a suite, from the committed results.
        console: where to say what was written, and of which suites there is nothing to write.

    Raises:
        UsageError: there is no such suite, none has rows, or the folder cannot be written.
    """
    loaded = {name: suites.load(name) for name in dict.fromkeys(names)}
    local = out or RESULTS / "local"
    sources = {name: _rows(name, suite, local / name) for name, suite in loaded.items()}
    bare = [name for name, (rows, _) in sources.items() if rows.empty]
    if len(bare) == len(loaded):
        raise UsageError(
            f"no rows of {', '.join(bare)} in {_shown(local)} or {_shown(RESULTS)}; "
            f"make some with: python -m benchmarks run {bare[0]}"
        )
    for name in (name for name in loaded if name not in bare):
        folder = local / name / "report"
        store.require_writable(folder)
        command = f"python -m benchmarks report {name}"
        command += f" --out {shlex.quote(str(out))}" if out else ""
        page = _page(name, loaded[name], *sources[name], command, folder)
        store.write(folder / f"{name}.html", page)
        console.print(f"{_shown(folder)}/{name}.html", highlight=False, soft_wrap=True)
    for name in bare:
        console.print(
            f"No report of {name}: it has no rows; make some with: python -m benchmarks run {name}",
            highlight=False,
        )


def _rows(name: str, suite: ModuleType, local: Path) -> tuple[pd.DataFrame, str]:
    """The rows that a report is made of, and a sentence that says which they are."""
    committed = RESULTS / name
    columns = suites.columns(suite)
    rows = tables.current(suite.EXPERIMENTS, store.read_suite(local, columns))
    if local.resolve() == committed:
        return rows, f"Made of the committed rows in {_shown(committed)}."
    if len(rows):
        return rows, f"Made of the rows in {_shown(local)}."
    rows = tables.current(suite.EXPERIMENTS, store.read_suite(committed, columns))
    return rows, f"Made of the committed rows in {_shown(committed)}; {_shown(local)} has none."


def _shown(path: Path) -> str:
    """A path for people: inside the project from its root on."""
    path, root = path.resolve(), RESULTS.parent
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _page(
    name: str, suite: ModuleType, rows: pd.DataFrame, source: str, command: str, folder: Path
) -> str:
    """The page; its figures are written on the way."""
    with matplotlib.rc_context(figures.STYLE):
        contents = _contents(name, suite, rows)
        svgs = [_save(picture, folder) for picture in contents.pictures]
    return _template().render(
        name=name,
        title=suites.title(suite),
        source=source,
        origin=tables.origin(rows),
        command=command,
        pictures=list(zip(contents.pictures, svgs, strict=True)),
        contents=contents,
    )


def _contents(name: str, suite: ModuleType, rows: pd.DataFrame) -> sections.Contents:
    if hasattr(suite, "COMPARED"):
        return sections.of_paper(suite, rows)
    if hasattr(suite, "COLUMNS"):
        return sections.of_flow(suite, rows)
    committed = tables.current(suite.EXPERIMENTS, store.read_suite(RESULTS / name))
    reference = None if committed.empty or committed.equals(rows) else committed
    return sections.of_cells(suite.EXPERIMENTS, rows, reference)


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
