"""What a check has found: lines on the screen, a Markdown page, JUnit's XML."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pandas as pd
from rich.console import Console

from benchmarks.analysis.tables import quantity
from benchmarks.check.verdicts import (
    GONE,
    LEVEL,
    NEW,
    POWER,
    REGRESSED,
    TOO_FEW,
    Finding,
    Side,
)
from benchmarks.running.files import require_file, write

RULES = (
    "Solved trials with 95 % Wilson intervals, and the median of training sequences to success "
    "(Kaplan-Meier, unsolved trials censored at the budget). Regressed: fewer are solved (Fisher's "
    "exact test, one-sided) or success comes later (log-rank test, one-sided), at "
    f"{LEVEL:.0%} for the whole check (two tests, then Holm over the experiments; p is corrected "
    f"likewise). Sees: the smallest drop of the success rate that is found with {POWER:.0%} "
    "probability."
)


class Files(NamedTuple):
    """Where reports are to be written; None where they are not."""

    junit: Path | None = None
    markdown: Path | None = None


class Report(NamedTuple):
    """Everything that a report says.

    Attributes:
        suite: name of the suite.
        findings: one for each experiment.
        origin: a sentence on where our trials come from.
        baseline: a sentence on where the baseline comes from.
    """

    suite: str
    findings: list[Finding]
    origin: str
    baseline: str


def status(report: Report) -> int:
    """The exit status: 1 if anything has regressed."""
    return int(any(each.verdict == REGRESSED for each in report.findings))


def require_writable(files: Files) -> None:
    """Fails early if a report could not be written.

    Raises:
        UsageError: it cannot.
    """
    for path in filter(None, files):
        require_file(path)


def save(report: Report, files: Files) -> None:
    """Writes the reports that are wanted."""
    if files.junit:
        write(files.junit, junit(report))
    if files.markdown:
        write(files.markdown, markdown(report))


def show(report: Report, console: Console) -> None:
    """Prints a line for each verdict, and what it all rests on."""
    width = max(len(each.name) for each in report.findings)
    for each in report.findings:
        text = f"{each.verdict:14} {each.name:{width}}  {line(each)}"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    console.print()
    for text in (RULES, report.origin, report.baseline, summary(report)):
        console.print(text, highlight=False, markup=False)


def summary(report: Report) -> str:
    """How many experiments got which verdict."""
    counts = Counter(each.verdict for each in report.findings)
    parts = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return f"{len(report.findings)} experiments: {parts}."


def line(finding: Finding) -> str:
    """What a verdict rests on, in one line."""
    if finding.verdict == NEW:
        return f"{_side(finding.ours)}; not in the baseline"
    if finding.verdict == GONE:
        return f"was {_side(finding.theirs)}; not in the suite any more"
    return (
        f"{_side(finding.ours)}, was {_side(finding.theirs)}; "
        f"p {_p(finding.p)}; {_sees(finding.visible)}"
    )


def _side(side: Side | None) -> str:
    if side is None:
        return ""
    rate = side.rate
    return f"{rate.solved}/{rate.trials} {_interval(side)} {quantity(side.median)}"


def _interval(side: Side) -> str:
    return f"({side.rate.low:.2f}-{side.rate.high:.2f})"


def _p(p: float | None) -> str:
    if p is None:
        return ""
    return f"{p:.2g}" if p >= 1e-4 else "<0.0001"


def _sees(drop: float | None) -> str:
    return "sees no drop" if drop is None else f"sees {drop:.2f}"


def markdown(report: Report) -> str:
    """A page with the verdicts as a table, regressions first."""
    order = sorted(report.findings, key=lambda each: each.verdict != REGRESSED)
    table = pd.DataFrame([_cells(each) for each in order])
    verdict = "learning got worse" if status(report) else "no regression"
    parts = [
        f"# {report.suite}: {verdict}",
        summary(report),
        table.to_markdown(index=False, disable_numparse=True),
        RULES,
        report.origin,
        report.baseline,
    ]
    return "\n\n".join(parts) + "\n"


def _cells(finding: Finding) -> dict[str, str]:
    """A line of the table."""
    ours, theirs = finding.ours, finding.theirs

    def both(name, text):
        return {name: text(ours) if ours else "", f"{name} before": text(theirs) if theirs else ""}

    bold = "**" if finding.verdict == REGRESSED else ""
    return {
        "verdict": f"{bold}{finding.verdict}{bold}",
        "experiment": finding.name,
        **both("solved", lambda s: f"{s.rate.solved}/{s.rate.trials} {_interval(s)}"),
        **both("median", lambda s: quantity(s.median)),
        "p": _p(finding.p),
        "sees": "" if finding.p is None else _sees(finding.visible).removeprefix("sees "),
    }


def junit(report: Report) -> str:
    """JUnit's XML: an experiment is a test case; what could not be compared was skipped."""
    counts = Counter(_kind(each) for each in report.findings)
    numbers = {
        "tests": str(len(report.findings)),
        "failures": str(counts["failure"]),
        "errors": "0",
        "skipped": str(counts["skipped"]),
    }
    root = ElementTree.Element("testsuites", numbers)
    suite = ElementTree.SubElement(root, "testsuite", {"name": report.suite, **numbers})
    for each in report.findings:
        case = {"classname": f"benchmarks.{report.suite}", "name": each.name}
        node = ElementTree.SubElement(suite, "testcase", case)
        message = f"{each.verdict}: {line(each)}"
        if kind := _kind(each):
            ElementTree.SubElement(node, kind, {"message": message})
        ElementTree.SubElement(node, "system-out").text = message
    about = "\n".join([summary(report), RULES, report.origin, report.baseline])
    ElementTree.SubElement(suite, "system-out").text = about
    ElementTree.indent(root)
    return ElementTree.tostring(root, "unicode", xml_declaration=True) + "\n"


def _kind(finding: Finding) -> str:
    """JUnit's element for a verdict; none for a test that has passed."""
    if finding.verdict == REGRESSED:
        return "failure"
    return "skipped" if finding.verdict in (TOO_FEW, NEW, GONE) else ""
