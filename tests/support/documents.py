"""What documents show, for tests that run it."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def python_of(document, section):
    """The Python code in a section of a document."""
    _, _, rest = (ROOT / document).read_text().partition(f"\n## {section}\n")
    text, _, _ = rest.partition("\n## ")
    return "\n".join(part.split("```")[0] for part in text.split("```python\n")[1:])
