"""The report of a suite: one HTML page without a network, and its figures as PNG and PDF."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
from rich.console import Console

from benchmarks import suites
from benchmarks.analysis import paper_rows, published, redrawn, tables
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.report import (
    drawing,
    html,
    index,
    paper_section,
    remedies_section,
    sections,
    source,
)
from benchmarks.report.contents import Contents
from benchmarks.report.source import Own, Source, shown
from benchmarks.running import files, store, trained_flow
from benchmarks.suites import guessed
from benchmarks.suites.base import (
    FlowSuite,
    PaperSuite,
    PublishedSuite,
    ReadingsSuite,
    RemediesSuite,
    StreamSuite,
    Suite,
)
from benchmarks.suites.common import RESULTS


def write(
    chosen: Mapping[str, Sequence[Experiment]],
    out: Path | None,
    only: str,
    own: Own | None,
    console: Console,
) -> None:
    """Writes the report of each suite that has rows, to `<out>/<suite>/report`, and their index.

    Args:
        chosen: the experiments, by their suites.
        out: folder of results; `results/local` by default. Rows are read from there, or, where it
            has none of a suite, from the committed results.
        only: the shell pattern that chose the experiments.
        own: a user's own cell that is to stand beside the others; its rows are read from `out`.
        console: where to say what was written, and of which suites there is nothing to write.

    Raises:
        UsageError: there is no such suite, none has rows, the own cell has none or the name of
            another, or the folder cannot be written.
    """
    local = out or RESULTS / "local"
    sources = {
        name: _source(suites.load(name), experiments, own, local / name)
        for name, experiments in chosen.items()
    }
    full = [name for name, each in sources.items() if len(each.rows)]
    bare = [name for name in sources if name not in full]
    if not full:
        raise UsageError(
            f"no rows of {', '.join(bare)} in {files.short(shown(local))} or {shown(RESULTS)}; "
            f"make some with: python -m benchmarks run {bare[0]}"
        )
    for name in full:
        files.require_writable(local / name / "report")
    beside = [
        name for name in suites.names() if name in full or index.page_of(local, name).exists()
    ]
    for name in full:
        command = _command(name, only, own, out)
        page = _page(suites.load(name), sources[name], command, beside, local)
        files.write(index.page_of(local, name), page)
        console.print(shown(index.page_of(local, name)), highlight=False, soft_wrap=True)
    for name in bare:
        console.print(
            f"No report of {name}: it has no rows; make some with: python -m benchmarks run {name}",
            highlight=False,
        )
    console.print(shown(index.write(local)), highlight=False, soft_wrap=True)


def _source(
    suite: Suite, experiments: Sequence[Experiment], own: Own | None, local: Path
) -> Source:
    found = source.of_suite(suite, experiments, local)
    return source.with_own(found, suite, own, local) if own else found


def _command(name: str, only: str, own: Own | None, out: Path | None) -> str:
    command = f"python -m benchmarks report {name}"
    command += f" --only {shlex.quote(only)}" if only != "*" else ""
    command += "".join(f" --cell {shlex.quote(spec)}" for spec in own.specs) if own else ""
    return command + (f" --out {shlex.quote(str(out))}" if out else "")


def _page(suite: Suite, found: Source, command: str, beside: Sequence[str], local: Path) -> str:
    """The page; its figures are written on the way."""
    folder = index.page_of(local, suite.name).parent
    with matplotlib.rc_context(drawing.STYLE):
        contents = _contents(suite, found, local)
        pictures = [html.saved(picture, folder) for picture in contents.pictures]
    return html.rendered(
        "suite.html",
        name=suite.name,
        title=suite.title,
        beside=beside,
        source=found.text,
        unasked=found.unasked,
        links=source.links(found.folders, folder),
        origin=tables.origin(found.rows),
        command=command,
        pictures=pictures,
        contents=contents,
    )


def _contents(suite: Suite, found: Source, local: Path) -> Contents:
    if isinstance(suite, PaperSuite):
        return _of_paper(suite, found, local)
    if isinstance(suite, FlowSuite):
        return sections.of_flow(found.experiments, found.rows)
    reference = None
    if not found.committed:
        committed = tables.current(found.experiments, store.read_suite(RESULTS / suite.name))
        reference = None if committed.empty else committed
    searches = suite.searches(found.experiments, found.folders)
    contents = sections.of_cells(
        found.experiments,
        found.rows,
        found.points,
        reference,
        found.tried,
        guessed.beside(found.experiments),
        searches,
    )
    if isinstance(suite, PublishedSuite):
        beside = published.beside(found.experiments, found.rows)
        return sections.with_published(contents, beside)
    if isinstance(suite, RemediesSuite):
        flow = trained_flow.of(found.experiments, found.folders)
        lines = tables.summary(found.experiments, found.rows, searches)
        contents = sections.with_published(contents, suite.published(), published.ELSEWHERE)
        return remedies_section.with_remedies(contents, suite.remedies, lines, flow)
    if isinstance(suite, StreamSuite):
        return sections.with_streams(contents, found.experiments, found.rows)
    return contents


def _of_paper(suite: PaperSuite, found: Source, local: Path) -> Contents:
    compared = suite.beside_paper(found.experiments)
    literal = source.literal(suite, found.experiments, local)
    lines, guesses = None, guessed.beside(found.experiments)
    if literal and suite.literal:
        known = suite.literal.beside_paper(literal.experiments)
        compare = redrawn if isinstance(suite, ReadingsSuite) else paper_rows
        lines = compare.comparison(known, literal.rows, guesses)
    if isinstance(suite, ReadingsSuite):
        return paper_section.of_readings(compared, found.rows, suite.chosen_by, lines, guesses)
    return paper_section.of_paper(compared, found.rows, found.points, lines, guesses)
