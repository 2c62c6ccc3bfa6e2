"""Readings of the paper side by side: with how many of its rows each one agrees."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.analysis import bootstrap, paper_rows

RULES = (
    "A reading is what is not read literally, joined by hyphens. Agrees: rows whose verdict is "
    f"*agrees*, which says that no difference beyond a factor of {paper_rows.FACTOR:g} is shown, "
    "and in brackets a 95 % bootstrap interval of their number; near: those of them whose mean "
    "itself is within that factor and not a mere lower bound; rows: those that have been run to "
    "the end (of a reading with both steps and full, rows of Table 1 have no procedure). "
)
REDRAWN = (
    f"Intervals: {bootstrap.REDRAWN} times the trials of each row are drawn anew from its own, "
    "with replacement, as many as there are and apart from those of other rows (a row that is the "
    "same experiment under several readings is drawn once for all), and the verdicts found anew "
    f"by the same rule (the interval of a mean from {bootstrap.REDRAWN} samples, not "
    f"{bootstrap.RESAMPLES}); the interval is the middle 95 % of what comes out. Rows, readings "
    "and the paper's figures stay: it says how far luck in our trials moves a number, not what "
    "other rows would say. "
)
OF_MANY = (
    "With ten trials of a row many differences cannot be told, so that agreement is easier to "
    "come by than in `paper`; and of many readings some agree with a row by luck."
)
OF_CHOSEN = (
    "But for the literal one, these readings were chosen because they agree with the most of "
    "{count} rows in suite `readings`, on some of the same trials, so that their agreement with "
    "those is partly the luck of the choice; the other rows are the test of it."
)
VERDICTS = ["agrees", "faster", "slower", "fails"]
EFFECTS = (
    "Share of rows that agree, of the readings without a choice and of those with it, and the "
    "difference, with an interval as above; of those rows alone that are complete under every "
    "reading, so that choices are compared on the same ones (none of Table 1). Of the 64 "
    "combinations 16 are run, chosen so that no effect of one choice is mixed up with that of "
    "another, or of two others together."
)


def agreement(lines: pd.DataFrame) -> pd.DataFrame:
    """A line for each reading, the most agreeing rows first; then the fewest choices.

    Args:
        lines: of `paper_rows.comparison`; `variant` is the reading.

    Returns:
        Columns reading, rows (that are complete), agrees, near (of these, where the ratio of the
        means itself is within `paper_rows.FACTOR`), faster, slower, fails.
    """
    done = complete(lines)
    counts = pd.crosstab(done["variant"], done["verdict"])
    counts = counts.reindex(lines["variant"].unique(), fill_value=0)
    found = counts.reindex(columns=VERDICTS, fill_value=0)
    found.insert(0, "rows", counts.sum(axis=1))
    found.insert(2, "near", done[near(done)].groupby("variant").size())
    found["near"] = found["near"].fillna(0).astype(int)
    choices = found.index.map(lambda reading: len(reading.split("-")) * (reading != "literal"))
    order = found.assign(choices=choices).sort_values(
        ["agrees", "choices"], ascending=[False, True], kind="stable"
    )
    found = found.loc[order.index]
    return found.rename_axis("reading").reset_index().rename_axis(columns=None)


def readable(lines: pd.DataFrame) -> pd.DataFrame:
    """`agreement`, and in text the intervals of the numbers of rows that agree.

    Args:
        lines: of `redrawn.comparison`; `variant` is the reading.
    """
    found, redrawn = agreement(lines), complete(lines).groupby("variant")["redrawn"]
    ends = {reading: bootstrap.percentiles(np.sum([*own], axis=0)) for reading, own in redrawn}
    text = {reading: f" ({low:.0f}-{high:.0f})" for reading, (low, high) in ends.items()}
    shown = [f"{line.agrees}{text.get(line.reading, '')}" for line in found.itertuples()]
    return found.assign(agrees=shown)


def markdown(lines: pd.DataFrame) -> str:
    """`readable` as a table of a Markdown page."""
    found = readable(lines)
    return found.to_markdown(index=False, colalign=["left"] + ["right"] * (found.shape[1] - 1))


def near(lines: pd.DataFrame) -> pd.Series:
    """Whether a line agrees, and its mean is within the factor: not only its interval's end."""
    within = lines["ratio"].between(1 / paper_rows.FACTOR, paper_rows.FACTOR)
    return (lines["verdict"] == "agrees") & within & lines["bounded"].eq(False)


def effects(lines: pd.DataFrame) -> pd.DataFrame:
    """What each choice does to the share of rows that agree.

    Args:
        lines: of `redrawn.comparison`; `variant` is the reading.

    Returns:
        Columns choice, without, with (shares of the rows that are complete under every reading
        that agree), difference, low, high (the ends of its interval).
    """
    done = common(lines)
    choices = done["variant"].str.get_dummies("-").drop(columns="literal", errors="ignore")
    found = []
    for choice, chosen in choices.astype(bool).items():
        if chosen.all():
            continue
        without, chose = done[~chosen], done[chosen]
        shares = [(own["verdict"] == "agrees").mean() for own in (without, chose)]
        redrawn = [np.mean([*own["redrawn"]], axis=0) for own in (without, chose)]
        ends = bootstrap.percentiles(redrawn[1] - redrawn[0])
        found.append([choice, *shares, shares[1] - shares[0], *ends])
    columns = ["choice", "without", "with", "difference", "low", "high"]
    return pd.DataFrame(found, columns=columns)


def readable_effects(lines: pd.DataFrame) -> pd.DataFrame:
    """`effects` as text; empty if no row is complete under every reading."""
    found = effects(lines).round(2)
    ends = found[["difference", "low", "high"]] + 0.0  # no -0.00
    return found.assign(
        without=found["without"].map("{:.2f}".format),
        difference=[f"{each:+.2f} ({low:+.2f} to {high:+.2f})" for each, low, high in ends.values],
        **{"with": found["with"].map("{:.2f}".format)},
    ).drop(columns=["low", "high"])


def complete(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines whose trials have all been run."""
    return lines[lines["missing"] == 0]


def common(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines of those rows that are complete under every reading."""
    done = complete(lines)
    readings = done.groupby("row")["variant"].transform("nunique")
    return done[readings == lines["variant"].nunique()]


def rules(chosen_by: Sequence[str]) -> str:
    """How to read the numbers of rows that agree.

    Args:
        chosen_by: rows for which the readings were chosen; none if they were not.
    """
    return RULES + REDRAWN + (OF_CHOSEN.format(count=len(chosen_by)) if chosen_by else OF_MANY)


def sections(lines: pd.DataFrame, chosen_by: Sequence[str] = ()) -> list[str]:
    """Rows that agree as sections of a Markdown page, and what that is worth.

    That is, once a row is complete under every reading, what each choice changes; of readings
    that were chosen, how they do on the other rows.

    Args:
        lines: of `redrawn.comparison`; `variant` is the reading.
        chosen_by: rows for which the readings were chosen; none if they were not.
    """
    found = [
        f"## Rows that agree, of {lines['variant'].nunique()} readings",
        markdown(lines),
        rules(chosen_by),
    ]
    if chosen_by:
        others = markdown(unseen(lines, chosen_by))
        return [*found, "## Rows that agree, of those that did not decide the choice", others]
    changed = readable_effects(lines)
    if not changed.empty:
        table = changed.to_markdown(index=False, disable_numparse=True)
        found += ["## What each choice changes", table, EFFECTS]
    return found


def unseen(lines: pd.DataFrame, chosen_by: Sequence[str]) -> pd.DataFrame:
    """The lines of rows that did not decide which readings were chosen."""
    return lines[~lines["row"].isin(chosen_by)]
