"""Readings of the paper side by side: with how many of its rows each one agrees."""

from collections.abc import Sequence

import pandas as pd

from benchmarks.analysis import paper_rows

RULES = (
    "A reading is what is not read literally, joined by hyphens. Agrees: rows whose verdict is "
    f"*agrees*, which says that no difference beyond a factor of {paper_rows.FACTOR:g} is shown; "
    "near: those of them whose mean itself is within that factor and not a mere lower bound; "
    "rows: those that have been run to the end (of a reading with both steps and full, rows of "
    "Table 1 have no procedure). "
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
    "Share of rows that agree, of the readings without a choice and of those with it; of those "
    "rows alone that are complete under every reading, so that choices are compared on the same "
    "ones (none of Table 1). Of the 64 combinations 16 are run, chosen so that no effect of one "
    "choice is mixed up with that of another, or of two others together."
)


def agreement(lines: pd.DataFrame) -> pd.DataFrame:
    """A line for each reading, the most agreeing rows first; then the fewest choices.

    Args:
        lines: of `paper_rows.comparison`; `variant` is the reading.

    Returns:
        Columns reading, rows (that are complete), agrees, near (of these, where the ratio of the
        means itself is within `paper_rows.FACTOR`), faster, slower, fails.
    """
    done = lines[lines["missing"] == 0]
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


def near(lines: pd.DataFrame) -> pd.Series:
    """Whether a line agrees, and its mean is within the factor: not only its interval's end."""
    within = lines["ratio"].between(1 / paper_rows.FACTOR, paper_rows.FACTOR)
    return (lines["verdict"] == "agrees") & within & lines["bounded"].eq(False)


def effects(lines: pd.DataFrame) -> pd.DataFrame:
    """What each choice does to the share of rows that agree.

    Args:
        lines: of `paper_rows.comparison`; `variant` is the reading.

    Returns:
        Columns choice, without, with (shares of the rows that are complete under every reading
        that agree), difference.
    """
    done = common(lines)
    agrees, parts = done["verdict"] == "agrees", done["variant"].str.get_dummies("-")
    choices = parts.drop(columns="literal", errors="ignore").astype(bool)
    without = [agrees[~chosen].mean() for _, chosen in choices.items()]
    chose = [agrees[chosen].mean() for _, chosen in choices.items()]
    found = pd.DataFrame({"choice": choices.columns, "without": without, "with": chose})
    return found.assign(difference=found["with"] - found["without"])


def common(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines of those rows that are complete under every reading."""
    done = lines[lines["missing"] == 0]
    readings = done.groupby("row")["variant"].transform("nunique")
    return done[readings == lines["variant"].nunique()]


def rules(chosen_by: Sequence[str]) -> str:
    """How to read the numbers of rows that agree.

    Args:
        chosen_by: rows for which the readings were chosen; none if they were not.
    """
    return RULES + (OF_CHOSEN.format(count=len(chosen_by)) if chosen_by else OF_MANY)


def sections(lines: pd.DataFrame, chosen_by: Sequence[str] = ()) -> list[str]:
    """Rows that agree as sections of a Markdown page, and what that is worth.

    That is, once a row is complete under every reading, what each choice changes; of readings
    that were chosen, how they do on the other rows.

    Args:
        lines: of `paper_rows.comparison`; `variant` is the reading.
        chosen_by: rows for which the readings were chosen; none if they were not.
    """
    found = [
        f"## Rows that agree, of {lines['variant'].nunique()} readings",
        agreement(lines).to_markdown(index=False),
        rules(chosen_by),
    ]
    if chosen_by:
        others = agreement(unseen(lines, chosen_by)).to_markdown(index=False)
        return [*found, "## Rows that agree, of those that did not decide the choice", others]
    changed = effects(lines)
    if not changed.empty:
        table = changed.to_markdown(index=False, floatfmt=".2f")
        found += ["## What each choice changes", table, EFFECTS]
    return found


def unseen(lines: pd.DataFrame, chosen_by: Sequence[str]) -> pd.DataFrame:
    """The lines of rows that did not decide which readings were chosen."""
    return lines[~lines["row"].isin(chosen_by)]
