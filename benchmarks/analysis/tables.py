"""Tables: pure functions of a suite's experiments and of result rows."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.analysis import settings
from benchmarks.analysis.measured import Known
from benchmarks.analysis.settings import Searched
from benchmarks.analysis.statistics import median_sequences, success_rate
from benchmarks.learning.experiment import Experiment

AT_CHANCE = 0.95  # of the best constant output's error

RULES = (
    "k/n: solved trials of all; below, the median of training sequences to success (Kaplan-Meier, "
    "unsolved trials censored at the budget), where half of the trials succeed, no finer than "
    "trials are tested, in most suites every 2,000 sequences. `at chance`: none is solved or "
    f"diverged and the median test error is at least {AT_CHANCE:.0%} of the best constant "
    "output's. `diverged`: so many trials ended because a number overflowed. Intervals are 95 % "
    "Wilson intervals."
)

FITTING, FITTING_TASKS = 8, 5
"""Cells, and tasks of several families, that fit side by side into 80 columns."""

LONGEST_HEADING = 10
"""Letters; a longer name of a task is broken at a hyphen where columns are tasks."""

NOT_RUN = "not run"
GUESSED = "guessing"
"""The last column, which is of no cell."""
NOTHING: Mapping[str, str] = {}

REFERENCE = " (k/n): the committed reference."

GUESSING = (
    " Guessing: trials in which random guesses of all weights of a small net found one that has "
    "100 sequences right, or the whole training set, and the median number of guesses; see the "
    "suite `guesses`. What guessing solves quickly is no test of a learner; where outputs are "
    "numbers (adding, multiplication, latch) hardly any guess comes near, and none solved says "
    "little."
)


def current(experiments: Sequence[Known], rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that these experiments, as they stand now, have made; others are not mixed in."""
    return rows[rows["digest"].isin({experiment.digest for experiment in experiments})]


def requested(
    experiments: Sequence[Experiment], requests: pd.DataFrame, rows: pd.DataFrame
) -> list[Experiment]:
    """The experiments with as many trials as `run` has been asked for, over all its seeds.

    Args:
        experiments: with the numbers of trials that their suite says.
        requests: what was asked for (`store.REQUEST_COLUMNS`); where nothing is on record, the
            suite's numbers hold.
        rows: the experiments' rows; what has rows without a record was asked for as the suite says.
    """
    if requests.empty:
        return list(experiments)
    asked, ran = requests.groupby("digest")["trials"].sum(), set(rows["digest"])
    return [
        replace(each, trials=int(asked.get(each.digest, each.trials if each.digest in ran else 0)))
        for each in experiments
    ]


def unasked(experiments: Sequence[Experiment], asked: Sequence[Experiment]) -> str:
    """What of a suite's trials nobody has asked for, in a sentence; empty if nothing."""
    pairs = [(each.trials, own.trials) for each, own in zip(experiments, asked, strict=True)]
    count = sum(max(suite - own, 0) for suite, own in pairs)
    never = sum(own == 0 for _, own in pairs)
    if not count:
        return ""
    text = f"Not asked for: {count} of the suite's {sum(suite for suite, _ in pairs)} trials"
    return text + (f", among them all of {never} of {len(pairs)} experiments." if never else ".")


def summary(
    experiments: Sequence[Known],
    rows: pd.DataFrame,
    searched: Mapping[str, Searched] = settings.UNSEARCHED,
) -> pd.DataFrame:
    """One row for each experiment, also for those that have no trials yet; by task, then delay.

    Args:
        experiments: which ones.
        rows: theirs, perhaps among others.
        searched: what the search tried for them, by digest.

    Columns: task (with its delay), cell, weights, rate, solved, trials, missing, low, high
    (interval of the success rate), median_sequences, diverged, test_right (fraction over all test
    sequences), test_error (median over trials), chance_right, chance_error, at_chance, seconds (of
    all trials), seeds, and those of `analysis.settings`; with_success and configurations where
    something is known of a search.
    """
    by_digest = dict(iter(rows.groupby("digest")))
    tried = {digest: found._asdict() for digest, found in searched.items()}
    return pd.DataFrame(
        [
            _line(each, by_digest.get(each.digest, rows[:0])) | tried.get(each.digest, {})
            for each in by_task(experiments)
        ]
    )


def by_task(experiments: Sequence[Known]) -> list[Known]:
    """The experiments in the order of tables: tasks as the suite has them, then by delay."""
    order = list(dict.fromkeys(each.task for each in experiments))
    return sorted(experiments, key=lambda each: (order.index(each.task), each.delay))


def _line(experiment: Known, rows: pd.DataFrame) -> dict:
    chance = experiment.chance
    line = {
        "task": f"{experiment.task}-{experiment.delay}",
        "cell": experiment.cell,
        "trials": len(rows),
        "missing": max(experiment.trials - len(rows), 0),
        "rate": experiment.rate,
        "chance_right": chance.right,
        "chance_error": chance.error,
    }
    if rows.empty:
        return line
    rate = success_rate(rows["outcome"])
    error = float(rows["test_error"].median())
    diverged = int((rows["outcome"] == "diverged").sum())
    return line | {
        "weights": int(rows["weights"].iloc[0]),
        "solved": rate.solved,
        "low": rate.low,
        "high": rate.high,
        "median_sequences": median_sequences(rows),
        "diverged": diverged,
        "test_right": 1 - rows["test_wrong"].sum() / rows["test_size"].sum(),
        "test_error": error,
        # Of streams, the best outputs err as much as a constant: what comes next is random.
        "at_chance": not rate.solved
        and not diverged
        and not error < AT_CHANCE * chance.error
        and bool(rows["bits"].isna().all()),
        "seconds": rows["seconds"].sum(),
        "seeds": rows["seed"].nunique(),
        **settings.summary(rows),
    }


def matrix(
    lines: pd.DataFrame,
    reference: pd.DataFrame | None = None,
    guessed: Mapping[str, str] = NOTHING,
) -> pd.DataFrame:
    """Tasks down, cells across; each entry is two or three short lines of text.

    Where there are far more cells than tasks, cells go down, those without any trial left out.

    Args:
        lines: of `summary`.
        reference: such lines of the committed rows, to stand in brackets.
        guessed: what guessing solves, by task, for a last column.
    """
    known = _solved(reference)
    entries = {}
    for line in lines.itertuples():
        beside = [f"({known[line.task, line.cell]})"] if (line.task, line.cell) in known else []
        entries[line.task, line.cell] = "\n".join(_entry(line) + beside)
    tasks, cells = (list(dict.fromkeys(lines[name])) for name in ("task", "cell"))
    wide = pd.DataFrame(
        [[entries.get((task, cell), "") for cell in cells] for task in tasks],
        index=pd.Index(tasks, name="task"),
        columns=cells,
    )
    column = {GUESSED: [guessed.get(task, "") for task in tasks]} if guessed else {}
    if len(cells) <= 2 * len(tasks):
        return wide.assign(**column)
    ran = [cell for cell in cells if (wide[cell] != NOT_RUN).any()] or cells
    return wide[ran].assign(**column).T.rename_axis("cell")


def _solved(lines: pd.DataFrame | None) -> dict[tuple[str, str], str]:
    """k/n by task and cell, of those that have trials."""
    if lines is None:
        return {}
    ran = lines[lines["trials"] > 0]
    return {(r.task, r.cell): f"{r.solved:.0f}/{r.trials}" for r in ran.itertuples()}


def _entry(line) -> list[str]:
    if not line.trials:
        return [NOT_RUN]
    first = f"{line.solved:.0f}/{line.trials}"
    if line.missing:
        first += f" of {line.trials + line.missing}"
    if line.diverged:
        first = f"{first}\n{line.diverged:.0f} diverged"
    if line.at_chance:
        return [first, "at chance"]
    if line.median_sequences == float("inf"):
        return [first]
    return [first, quantity(line.median_sequences)]


def long(
    lines: pd.DataFrame,
    reference: pd.DataFrame | None = None,
    guessed: Mapping[str, str] = NOTHING,
) -> pd.DataFrame:
    """The readable form of `summary`: everything about each experiment in one line.

    Arguments are those of `matrix`.
    """
    ran = lines[lines["trials"] > 0]
    table = pd.DataFrame(
        {
            "task": ran["task"],
            "cell": ran["cell"],
            "solved": _solved(ran).values(),
            "95 %": [f"{r.low:.2f}-{r.high:.2f}" for r in ran.itertuples()],
            "median sequences": [quantity(r.median_sequences) for r in ran.itertuples()],
            "test right": ran["test_right"].map("{:.1%}".format),
            "test error": ran["test_error"].map("{:.3f}".format),
            "chance right": ran["chance_right"].map("{:.1%}".format),
            "chance error": ran["chance_error"].map("{:.3f}".format),
            "": [
                "at chance" if r.at_chance else f"{r.diverged:.0f} diverged" if r.diverged else ""
                for r in ran.itertuples()
            ],
            "weights": ran["weights"].astype(int),
            "rate": ran["rate"].map("{:g}".format),
            "seconds/trial": (ran["seconds"] / ran["trials"]).map("{:.2f}".format),
        }
    )
    if _any_searched(ran):
        table = table.drop(columns="rate").join(settings.columns(ran))
    if guessed:
        column = table["task"].map(lambda task: in_a_line(guessed, task))
        table.insert(list(table).index("chance error") + 1, GUESSED, column)
    if known := _solved(reference):
        keys = zip(table["task"], table["cell"], strict=True)
        table.insert(4, "reference", [known.get(key, "-") for key in keys])
    return table


def in_a_line(guessed: Mapping[str, str], task: str) -> str:
    """What guessing solves of a task, for a long table."""
    return guessed.get(task, "").replace("\n", ", ")


def _any_searched(lines: pd.DataFrame) -> bool:
    return "clip" in lines and bool(lines["clip"].notna().any())


def missing(lines: pd.DataFrame) -> str:
    """What a half-finished run still lacks; empty if nothing."""
    incomplete = lines[lines["missing"] > 0]
    if incomplete.empty:
        return ""
    names = [f"{r.task}.{r.cell} ({r.missing})" for r in incomplete.itertuples()]
    count = int(incomplete["missing"].sum())
    text = f"Not complete: {count} trials have not been run: {first(names)}."
    if (incomplete["trials"] > 0).any():
        text += (
            " Where only some trials of an experiment have been run (`of`), its success rate is "
            "too high: trials that succeed finish first."
        )
    return text


def first(names: Sequence[str], shown: int = 6) -> str:
    """The first of many names, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def page(
    name: str,
    title: str,
    lines: pd.DataFrame,
    provenance: str,
    reference: pd.DataFrame | None = None,
    guessed: Mapping[str, str] = NOTHING,
) -> str:
    """The Markdown page of a suite: matrix, long table, rules and provenance.

    Args:
        name: of the suite.
        title: of the page.
        lines: `summary`.
        provenance: `origin` of the rows.
        reference: `summary` of committed rows to show beside them.
        guessed: what random guessing does, by task.
    """
    wide = matrix(lines, reference, guessed).map(lambda entry: entry.replace("\n", "<br>"))
    parts = [
        f"# {name}: {title}",
        f"Made by `python -m benchmarks run {name}`; the rows are in `trials/`.",
        missing(lines),
        wide.reset_index().to_markdown(index=False),
        RULES + (REFERENCE if reference is not None else "") + (GUESSING if guessed else ""),
        long(lines, reference, guessed).to_markdown(index=False, disable_numparse=True),
        settings.NOTE if _any_searched(lines) else "",
        provenance,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def origin(rows: pd.DataFrame) -> str:
    """One sentence on where the rows come from."""
    if rows.empty:
        return ""
    several = {
        name: ", ".join(sorted(rows[name].unique()))
        for name in ("jax", "flax", "optax", "python", "device", "commit")
    }
    dirty = " (with uncommitted changes)" if (rows["dirty"] == "true").any() else ""
    settings = "".join(f", {each}" for each in rows["jax_settings"].unique() if each)
    return (
        f"{len(rows)} trials, seed {', '.join(map(str, sorted(rows['seed'].unique())))}; "
        f"jax {several['jax']}, flax {several['flax']}, optax {several['optax']}, "
        f"Python {several['python']}, device {several['device']}, "
        f"commit {several['commit']}{dirty}{settings}."
    )


def terminal(wide: pd.DataFrame, title: str, right: int = 0) -> Group:
    """The matrix as rich tables that fit 80 columns, with `right` blanks after each column.

    Of many cells and many tasks, each family of tasks has a table, with cells down. The title
    stands above as text, since it may be wider than a table of one cell.
    """
    parts: list[RenderableType] = [Text(title, style="table.title")]
    for block in _fitting(wide):
        table = plain(None, padding=(0, right, 0, 0), leading=1)
        table.add_column(block.index.name, overflow="fold")
        for column in block.columns:
            name, dash, delay = column.rpartition("-")
            broken = textwrap.fill(name, LONGEST_HEADING, break_long_words=False)  # at a hyphen
            heading = f"{broken}\n{delay}" if dash and block.index.name == "cell" else column
            table.add_column(heading, justify="right", overflow="fold")
        for name, entries in block.iterrows():
            table.add_row(name, *entries)
        parts += [table, Text()]
    return Group(*parts[:-1])


def _fitting(wide: pd.DataFrame) -> list[pd.DataFrame]:
    """The matrix, or its parts by families of tasks if it has too many columns or gaps.

    Families of which nothing has been run are left out, unless all are such; neighbours that share
    cells stand side by side where they fit, and each part has no cells but its own.
    """
    turned = wide.T.rename_axis("cell") if wide.index.name == "task" else wide
    gaps = (turned.drop(GUESSED, errors="ignore") == "").any(axis=None)
    fits = {"task": len(wide.columns) <= FITTING, "cell": not gaps}
    if fits.get(str(wide.index.name), True):
        return [wide]
    names = pd.Index([task.rpartition("-")[0] for task in turned.columns])
    families = [turned.loc[:, names == name] for name in names.unique()]
    ran = [each for each in families if not _of_cells(each).isin(["", NOT_RUN]).all(axis=None)]
    parts: list[pd.DataFrame] = []
    for family in ran or families:
        if parts and _side_by_side(parts[-1], family):
            parts[-1] = parts[-1].join(family)
        else:
            parts.append(family)
    return [part[(part != "").any(axis=1)] for part in parts]


def _of_cells(part: pd.DataFrame) -> pd.DataFrame:
    """The lines of cells that have an experiment in a part of the matrix."""
    return part[(part != "").any(axis=1)].drop(GUESSED, errors="ignore")


def _side_by_side(part: pd.DataFrame, family: pd.DataFrame) -> bool:
    shared = _of_cells(part).index.intersection(_of_cells(family).index)
    return len(shared) > 0 and part.shape[1] + family.shape[1] <= FITTING_TASKS


def plain(title: str | None, **options) -> Table:
    """An empty table in the style of this project; options are those of `rich.table.Table`."""
    return Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        **options,
    )


def of_numbers(title: str, frame: pd.DataFrame, **options) -> Table:
    """A frame in that style: names in its first column, then numbers; options as for `plain`."""
    table = plain(title, **options)
    for i, column in enumerate(frame.columns):
        table.add_column(column, justify="right" if i else "left")
    for line in frame.itertuples(index=False):
        table.add_row(*map(str, line))
    return table


def quantity(number: float) -> str:
    """A number of sequences, short: 950, 12.3k, 1.24M; `>budget` beyond it."""
    if number == float("inf"):
        return ">budget"
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:.0f}"
