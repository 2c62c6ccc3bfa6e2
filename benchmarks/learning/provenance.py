"""Where a row comes from: versions, device, commit. Cheap, and never an error."""

import functools
import importlib.metadata
import platform
import subprocess
from pathlib import Path

import jax

ROOT = Path(__file__).parents[2]


@functools.cache
def provenance() -> dict[str, str]:
    """Columns that say what made a row; `commit` is empty outside a git checkout."""
    versions = {name: importlib.metadata.version(name) for name in ("jax", "flax", "optax")}
    return {
        **versions,
        "python": platform.python_version(),
        "device": jax.devices()[0].device_kind,
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "dirty": str(bool(_git("status", "--porcelain", "--", "*.py"))).lower(),
    }


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
