"""`python -m benchmarks.speed.document`: the committed measurement, in docs/PERFORMANCE.md."""

from pathlib import Path

from benchmarks.check.studies.document import spliced
from benchmarks.running import files
from benchmarks.speed import rows, table
from benchmarks.suites.common import RESULTS

PAGE = Path(__file__).parents[2] / "docs" / "PERFORMANCE.md"
MEASUREMENTS = RESULTS / "speed" / "measurements.csv"


def main() -> None:
    """Rewrites the part between the page's markers."""
    text = table.sections(rows.load(MEASUREMENTS))
    files.write(PAGE, spliced(PAGE.read_text("utf-8"), "figures", text))


if __name__ == "__main__":
    main()
