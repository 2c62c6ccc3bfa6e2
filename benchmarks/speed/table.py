"""Tables of measurements: pure functions of their rows."""

from collections.abc import Mapping, Sequence

import pandas as pd
from rich.table import Table

from benchmarks.analysis.tables import plain, quantity
from benchmarks.speed import by_weight, plan, rows, targets
from benchmarks.speed.rows import Spread

TITLES = {
    plan.LEARNER97: "The learner of 1997, one core",
    plan.MINIBATCH: "Minibatch learner, adding, all cores",
    plan.CELLS: "Minibatch learner, every cell at equal weights, all cores",
    plan.REMEDIES: "Minibatch learner, the vanilla net with each remedy, all cores",
    plan.PEAK: "What the machine does at most",
    plan.COMPILING: "Seconds to the first block, of one experiment of each kind",
    plan.ACCELERATOR: "Trials side by side on the accelerator",
}

SEQUENCES = 100_000  # of the trials that are counted in an hour

RULES = (
    "Medians of the repetitions, in brackets least and greatest. Alternatives of a group take "
    "turns in every repetition; x first is the time for the same work over that of the first of "
    "the group. Warm-up and compiling are left out. `ready`: trained again and again on sequences "
    "drawn before; otherwise drawing them is part of it (of the C++ reference always; in the "
    "minibatch table never). Lanes: on a CPU the 1997 program trains 16 trials side by side in a "
    "process, the minibatch program 4, and further trials take the lanes in turn; `wide` is what "
    "one program with a lane for every trial would take, `8 lanes` what the last trials get. "
    f"trials/h: trials of {SEQUENCES:,} sequences."
)


PLANNED: Mapping[str, Sequence[str]] = {
    plan.CELLS: plan.AT_EQUAL_WEIGHTS,
    plan.REMEDIES: list(plan.REMEDY_LINES),
}
"""Alternatives that a measurement of today has, where an older one may lack some."""


def lines(measured: pd.DataFrame) -> pd.DataFrame:
    """One row for each alternative, in the order of measuring, then for what is not measured yet.

    Columns: section, group, alternative, figure (`Spread`, or why there is none), unit, ratio
    (`Spread` or None), hourly (trials an hour), compile_seconds.
    """
    groups = measured.groupby(["section", "group"], sort=False)
    return pd.DataFrame(
        [line for (section, name), own in groups for line in _group(section, name, own)]
    )


def _group(section: str, name: str, measured: pd.DataFrame) -> list[dict]:
    # What is missing was written down first; the order of the rest is that of a repetition.
    there = measured[measured["note"] == ""]["alternative"].unique()
    notes = measured[measured["note"] != ""].set_index("alternative")["note"]
    absent = {each: f"missing: {note}" for each, note in notes.items()}
    new = [each for each in PLANNED.get(section, ()) if each not in {*there, *absent}]
    absent |= dict.fromkeys(new, "not measured yet")
    return [_line(measured, section, name, each, there[0]) for each in there] + [
        {"section": section, "group": name, "alternative": each, "figure": text}
        for each, text in absent.items()
    ]


def _line(measured: pd.DataFrame, section: str, group: str, alternative: str, first: str) -> dict:
    own = rows.of(measured, section, group, alternative)
    compared = alternative != first and section != plan.PEAK
    return {
        "section": section,
        "group": group,
        "alternative": alternative,
        "figure": Spread.of(own["figure"]),
        "unit": own["unit"].iloc[0],
        "ratio": rows.ratio(measured, section, group, alternative, first) if compared else None,
        "hourly": 3600 / SEQUENCES / rows.cost(own).median(),
        "compile_seconds": float(own["compile_seconds"].median()),
    }


def columns(section: str, table: pd.DataFrame) -> pd.DataFrame:
    """What a section shows of its lines, as text."""
    shown = pd.DataFrame({"what": table["group"].where(~table["group"].duplicated(), "")})
    if section == plan.COMPILING:
        shown["program"] = table["alternative"]
        shown["compiling, s"] = table["compile_seconds"].map("{:.1f}".format)
        return shown
    shown["how"] = table["alternative"]
    shown["median"] = [_figure(each.figure, each.unit) for each in table.itertuples()]
    if section == plan.PEAK:
        return shown
    shown["x first"] = [str(each) if isinstance(each, Spread) else "" for each in table["ratio"]]
    if section != plan.LEARNER97:
        shown["trials/h"] = [quantity(n) if n == n else "" for n in table["hourly"]]
    return shown


def _figure(figure: Spread | str, unit: str) -> str:
    return f"{figure.median:.3g} {unit}" if isinstance(figure, Spread) else figure


def by_title(measured: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What every section that was measured shows, by its title."""
    found = lines(measured)
    shown = {}
    for name in plan.SECTIONS:
        if name in set(found["section"]):
            shown[TITLES[name]] = columns(name, found[found["section"] == name])
        if name == plan.CELLS and name in set(found["section"]):
            shown[by_weight.TITLE] = by_weight.columns(measured)
    return shown


def terminal(measured: pd.DataFrame) -> list[Table]:
    """The sections and the targets as rich tables that fit 80 columns."""
    shown = by_title(measured) | {"Targets": targets.table(measured)}
    return [_terminal(title, each) for title, each in shown.items() if len(each)]


def _terminal(title: str, shown: pd.DataFrame) -> Table:
    table = plain(title)
    for name in shown:
        table.add_column(name, no_wrap=name == "how")
    for entries in shown.itertuples(index=False):
        table.add_row(*entries)
    return table


def page(measured: pd.DataFrame) -> str:
    """The Markdown page: targets, every section, rules, where it was measured."""
    parts = [
        "# How fast it is",
        "Made by `python -m benchmarks speed`; all timings are in `measurements.csv`.",
        sections(measured),
    ]
    return "\n\n".join(parts) + "\n"


def sections(measured: pd.DataFrame) -> str:
    """Targets, every section, rules, where it was measured, in Markdown."""
    parts = [targets.table(measured).to_markdown(index=False, disable_numparse=True)]
    for title, shown in by_title(measured).items():
        markdown = shown.to_markdown(index=False, disable_numparse=True)
        parts.append(f"{title}:\n\n{markdown}")
    texts = RULES, by_weight.RULES, targets.COUNTED, origin(measured)
    return "\n\n".join(filter(None, [*parts, *texts]))


def origin(measured: pd.DataFrame) -> str:
    """One sentence on where the figures come from."""
    by = measured.iloc[0]
    torch = f"PyTorch {by['torch']}, " if by["torch"] else ""
    compiler = f"{by['compiler']}, " if by["compiler"] else ""
    dirty = " (with uncommitted changes)" if by["dirty"] == "true" else ""
    return (
        f"{by['cores']} cores of {by['cpu']}, device {by['device']}, load {by['load']} before the "
        f"start; jax {by['jax']}, flax {by['flax']}, {torch}{compiler}Python {by['python']}; "
        f"commit {by['commit']}{dirty}."
    )
