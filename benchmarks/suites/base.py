"""What a suite is: experiments, and how their rows become a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from benchmarks.analysis import (
    paper_rows,
    published,
    ranking,
    readings,
    redrawn,
    remedies,
    settings,
    streams,
    tables,
)
from benchmarks.analysis.paper_rows import Compared
from benchmarks.analysis.remedies import Remedy
from benchmarks.analysis.settings import Searched
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.running import flow_study, search, store, trained_flow
from benchmarks.suites import guessed
from benchmarks.suites.common import RESULTS


class Shown(NamedTuple):
    """The table of a suite in three forms.

    Attributes:
        table: for the terminal.
        notes: sentences below it.
        page: Markdown, a file of its own.
        lines: one row for each experiment.
    """

    table: RenderableType
    notes: list[str]
    page: str
    lines: pd.DataFrame


def _with_section(page: str, title: str, table: pd.DataFrame, rules: str) -> str:
    """A page in Markdown with one more section: a table, and how to read it."""
    text = table.to_markdown(index=False, disable_numparse=True)
    return "\n\n".join([page.rstrip(), f"## {title}", text, rules]) + "\n"


PUBLISHED_FIRST = ["source", "task", "T", "cell", "setting", "published", "ours", "verdict"]
"""What of published figures has room in a terminal."""

ANCHORS = "anchors"
"""The suite of experiments at the settings of published figures."""


def _published(found: pd.DataFrame) -> RenderableType:
    """Published figures beside ours, for a terminal."""
    short = tables.plain("Published figures beside ours", collapse_padding=True)
    for column in PUBLISHED_FIRST:
        short.add_column(column, overflow="fold")
    told = found.assign(published=found["measure"] + " " + found["published"])
    for line in told[PUBLISHED_FIRST].itertuples(index=False):
        short.add_row(*line)
    return short


@dataclass(frozen=True)
class Suite:
    """Experiments that are run, shown and reported together: tasks by cells.

    Attributes:
        name: what the command line calls it; its module has underscores for hyphens.
        text: the docstring of its module, whose first line is the suite's title.
        experiments: what is run.
        searched: whether rate and settings of a cell come from a search on the suite's own tasks.
        fixed: whether this holds of a user's cells only, and its own have rates of their own.
        matched: whether its cells have as many weights, not as many units.
        staged: whether the search at a delay starts from the best of the delay before.
        configurations: how many the search tries for each cell, on each task and at each delay.
    """

    name: str
    text: str
    experiments: tuple[Experiment, ...]
    searched: bool = False
    fixed: bool = False
    matched: bool = False
    staged: bool = False
    configurations: int = 24

    columns = store.COLUMNS
    trains = True  # whether `run` trains the experiments

    @property
    def title(self) -> str:
        """What the suite is, in a line."""
        return self.text.strip().splitlines()[0].rstrip(".")

    def require_searchable(self, own: bool) -> None:
        """Refuses a search that has nothing to choose.

        Args:
            own: whether it is for a user's own cell or task.

        Raises:
            UsageError: the rates are fixed.
        """
        if not self.searched or (self.fixed and not own):
            but = " but for a cell of one's own" if self.searched else ""
            text = f"suite {self.name} has fixed learning rates; there is nothing to search{but}"
            raise UsageError(text)

    def searches(
        self, experiments: Sequence[Experiment], folders: Sequence[Path]
    ) -> dict[str, Searched]:
        """What came of the search for experiments, by digest: the committed one, and in folders."""
        found: dict[str, Searched] = {}
        for folder in (RESULTS / self.name, *folders):
            found |= search.outcomes(experiments, folder)
        return found

    def shown(
        self,
        experiments: Sequence[Experiment],
        rows: pd.DataFrame,
        committed: pd.DataFrame | None = None,
        folders: Sequence[Path] = (),
    ) -> Shown:
        """The table of some of its experiments.

        Args:
            experiments: which ones.
            rows: theirs.
            committed: rows of the committed results to show beside them.
            folders: the suite's folders of results with what else belongs to these rows.
        """
        lines = tables.summary(experiments, rows, self.searches(experiments, folders))
        reference = None
        if committed is not None and len(committed):
            reference = tables.summary(experiments, committed)
        guesses = guessed.beside(experiments)
        notes = tables.RULES + (tables.REFERENCE if reference is not None else "")
        provenance = tables.origin(tables.current(experiments, rows))
        return Shown(
            tables.terminal(tables.matrix(lines, reference, guesses), self.title),
            [notes + (tables.GUESSING if guesses else "")]
            + [text for text in [tables.missing(lines)] if text],
            tables.page(self.name, self.title, lines, provenance, reference, guesses),
            lines,
        )


@dataclass(frozen=True)
class RankedSuite(Suite):
    """A suite whose cells are ranked over all tasks."""

    def shown(
        self,
        experiments: Sequence[Experiment],
        rows: pd.DataFrame,
        committed: pd.DataFrame | None = None,
        folders: Sequence[Path] = (),
    ) -> Shown:
        """The table, and the ranking below it."""
        shown = super().shown(experiments, rows, committed, folders)
        ranks = ranking.ranking(tables.current(experiments, rows))
        if ranks.empty:
            return shown
        tried = settings.by_cell(shown.lines)
        text = ranking.readable(ranks, tried)
        ranked = tables.of_numbers("Cells by mean rank over tasks", text)
        return shown._replace(
            table=Group(shown.table, Text(), ranked),
            notes=[*shown.notes, ranking.NOTE, *([settings.TRIED] if tried else [])],
            page=_with_section(shown.page, "Ranking", text, ranking.NOTE),
        )


@dataclass(frozen=True)
class RemediesSuite(Suite):
    """A suite whose cells are a net with remedies.

    Attributes:
        remedies: its cells, and which of them lacks what.
        anchors: experiments at the settings of published figures, of suite `anchors`.
    """

    remedies: tuple[Remedy, ...] = ()
    anchors: tuple[Experiment, ...] = ()

    def published(self) -> pd.DataFrame:
        """The figures of those who proposed the remedies beside ours, in the committed rows."""
        found = published.beside(self.anchors, store.read_suite(RESULTS / ANCHORS))
        return published.proposed_by(found, [each.source for each in self.remedies])

    def shown(
        self,
        experiments: Sequence[Experiment],
        rows: pd.DataFrame,
        committed: pd.DataFrame | None = None,
        folders: Sequence[Path] = (),
    ) -> Shown:
        """The table; below it, what each remedy did to success, and the published figures.

        Those that have not been run stand on the page only.
        """
        shown = super().shown(experiments, rows, committed, folders)
        flow = trained_flow.of(experiments, folders)
        told, beside = remedies.effects(self.remedies, shown.lines, flow), self.published()
        short = tables.of_numbers(
            "What each remedy did", remedies.short(told), collapse_padding=True
        )
        rules = [remedies.RULES, *([remedies.GRADIENT_RULES] if len(flow) else [])]
        text = "\n\n".join([remedies.sentences(told), *rules])
        page = _with_section(shown.page, "What each remedy did", remedies.table(told), text)
        of_anchors = f"{published.ELSEWHERE} {published.RULES}"
        ran = beside[beside["ours"] != tables.NOT_RUN]
        more = [Text(), _published(ran)] if len(ran) else []
        return shown._replace(
            table=Group(shown.table, Text(), short, *more),
            notes=[*shown.notes, *rules, *([of_anchors] if more else [])],
            page=_with_section(page, "Published figures", beside, of_anchors),
        )


@dataclass(frozen=True)
class PublishedSuite(Suite):
    """A suite whose experiments are variants and settings of published figures."""

    def shown(
        self,
        experiments: Sequence[Experiment],
        rows: pd.DataFrame,
        committed: pd.DataFrame | None = None,
        folders: Sequence[Path] = (),
    ) -> Shown:
        """The table, and the published figures below it."""
        shown = super().shown(experiments, rows, committed, folders)
        found = published.beside(experiments, rows)
        return shown._replace(
            table=Group(shown.table, Text(), _published(found)),
            notes=[*shown.notes, published.RULES],
            page=_with_section(shown.page, "Published figures", found, published.RULES),
        )


@dataclass(frozen=True)
class StreamSuite(Suite):
    """A suite of streams, some of whose experiments stand beside published ones."""

    def shown(
        self,
        experiments: Sequence[Experiment],
        rows: pd.DataFrame,
        committed: pd.DataFrame | None = None,
        folders: Sequence[Path] = (),
    ) -> Shown:
        """The table, how far and from how much nets predict, and the published table."""
        shown = super().shown(experiments, rows, committed, folders)
        own = streams.summary(experiments, rows)
        if own.empty:
            return shown
        published_ones = {each.digest for each in self.experiments}  # not those of another budget
        known = [each for each in experiments if each.digest in published_ones]
        text, beside = streams.readable(own), streams.published(known, rows)
        page = _with_section(shown.page, "Predictions", text, streams.RULES)
        short = tables.of_numbers("Published figures beside ours", beside[streams.BESIDE_FIRST])
        predicted = tables.of_numbers("Predictions", text[streams.FIRST])
        return shown._replace(
            table=Group(shown.table, Text(), predicted, Text(), short),
            notes=[*shown.notes, streams.RULES, streams.PUBLISHED],
            page=_with_section(page, "Published figures", beside, streams.PUBLISHED),
        )


@dataclass(frozen=True)
class PaperSuite(Suite):
    """A suite whose experiments stand beside rows of the paper.

    Attributes:
        compared: experiments beside the rows that they reproduce, in the order of the table.
        literal: the suite with the literal reading of these rows, if these are variants of it.
    """

    compared: tuple[Compared, ...] = ()
    literal: "PaperSuite | None" = None

    def beside_paper(self, experiments: Sequence[Experiment]) -> list[Compared]:
        """Some of the suite's experiments beside the rows that they reproduce."""
        chosen = {each.digest: each for each in experiments}
        return [
            each._replace(experiment=chosen[each.experiment.digest])
            for each in self.compared
            if each.experiment.digest in chosen
        ]

    def shown(
        self,
        experiments: Sequence[Experiment],
        rows: pd.DataFrame,
        committed: pd.DataFrame | None = None,
        folders: Sequence[Path] = (),
    ) -> Shown:
        """The paper's figures beside ours; the paper, not a committed run, is the reference.

        Experiments that are no longer those of the paper, with another budget, say, have a table
        like those of other suites.
        """
        compared = self.beside_paper(experiments)
        if not compared:
            return super().shown(experiments, rows, committed, folders)
        guesses = guessed.beside(experiments)
        lines = paper_rows.comparison(compared, rows, guesses)
        rules = paper_rows.rules(compared) + (tables.GUESSING if guesses else "")
        notes = [rules, paper_rows.missing(lines), paper_rows.verdicts(lines)]
        return Shown(
            paper_rows.terminal(lines, self.title),
            [text for text in notes if text],
            paper_rows.page(self.name, self.title, compared, rows, guesses),
            lines,
        )


@dataclass(frozen=True)
class ReadingsSuite(PaperSuite):
    """A suite that asks which reading agrees with the most rows of the paper.

    Attributes:
        chosen_by: rows for which its readings were chosen in another suite; none if this one is
            the factorial that chooses.
    """

    chosen_by: tuple[str, ...] = ()

    def shown(
        self,
        experiments: Sequence[Experiment],
        rows: pd.DataFrame,
        committed: pd.DataFrame | None = None,
        folders: Sequence[Path] = (),
    ) -> Shown:
        """How many rows agree under each reading, and what that is worth."""
        compared = self.beside_paper(experiments)
        if not compared:
            return super().shown(experiments, rows, committed, folders)
        guesses = guessed.beside(experiments)
        lines = redrawn.comparison(compared, rows, guesses)
        table = tables.of_numbers(self.title, readings.readable(lines), collapse_padding=True)
        page = paper_rows.page(self.name, self.title, compared, rows, guesses)
        parts = [page.rstrip(), *readings.sections(lines, self.chosen_by)]
        return Shown(
            table,
            [text for text in [readings.rules(self.chosen_by), paper_rows.missing(lines)] if text],
            "\n\n".join(parts) + "\n",
            lines.drop(columns="redrawn"),
        )


@dataclass(frozen=True)
class FlowSuite(Suite):
    """A suite that measures how an error flows back through initial networks; none is trained."""

    columns = flow_study.COLUMNS
    trains = False

    def shown(
        self,
        experiments: Sequence[Experiment],
        rows: pd.DataFrame,
        committed: pd.DataFrame | None = None,
        folders: Sequence[Path] = (),
    ) -> Shown:
        """What is left of an error, by cell and distance."""
        del committed, folders
        lines = flow_study.summary(experiments, rows)
        notes = [flow_study.RULES, flow_study.missing(lines)]
        return Shown(
            tables.terminal(flow_study.matrix(lines), self.title, right=1),
            [text for text in notes if text],
            flow_study.page(self.name, self.title, lines, rows),
            lines,
        )
