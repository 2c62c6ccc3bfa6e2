"""Where a row comes from: versions, device, commit, settings. Cheap, and never an error."""

import functools
import hashlib
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import jax

ROOT = Path(__file__).parents[2]
PACKAGES = "benchmarks", "models", "tasks"
FLAGS = "XLA_FLAGS", "BENCHMARKS_XLA"  # variables of the environment that change the last bits


DEFAULTS = {
    "jax_default_matmul_precision": None,
    "jax_default_prng_impl": "threefry2x32",
    "jax_enable_x64": False,
    "jax_threefry_partitionable": True,
}
"""Settings of jax that change numbers, as they are in the version that the project pins."""


def provenance() -> dict[str, str]:
    """Columns that say what made a row; `commit` is empty outside a git checkout."""
    return _made_by() | {"jax_settings": jax_settings()}


def jax_settings() -> str:
    """The settings of jax that change numbers, where they are not `DEFAULTS`: `name=value, ...`."""
    now = {name: getattr(jax.config, name) for name in DEFAULTS}
    return ", ".join(f"{name}={now[name]}" for name in DEFAULTS if now[name] != DEFAULTS[name])


@functools.cache
def _made_by() -> dict[str, str]:
    return {
        **_versions(),
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "dirty": str(bool(_git("status", "--porcelain", "--", "*.py"))).lower(),
        "device": jax.devices()[0].device_kind,
    }


def _versions() -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in ("jax", "flax", "optax")}
    return versions | {"python": platform.python_version()}


@functools.cache
def code() -> dict[str, str]:
    """All but the device that must be the same for half a trial to go on as it would have.

    The source counts, not the commit: a commit of results changes no trial.
    """
    flags = {name: os.environ.get(name, "") for name in FLAGS}
    return _versions() | {"source": _source(), "jax_settings": jax_settings()} | flags


def _source() -> str:
    """A digest of the project's code as it is on disk."""
    found = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            found.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:12]


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
