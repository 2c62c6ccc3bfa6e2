"""`doctor`: what there is to run on, and whether results could be kept."""

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cli import arguments
from benchmarks.learning.provenance import ROOT, provenance
from benchmarks.running import files
from benchmarks.running.workers import WORKER_BYTES, Workers, usable_cores

PACKAGES = "jax", "jaxlib", "flax", "optax", "numpy", "pandas"
FLAGS = (
    "JAX_PLATFORMS",
    "XLA_FLAGS",
    "BENCHMARKS_XLA",
    "JAX_ENABLE_X64",
    "JAX_COMPILATION_CACHE_DIR",
)


def add(commands) -> None:
    """Adds the command."""
    text = "versions, device, flags, memory, disk: whether a run can work here"
    parser = arguments.add_command(commands, "doctor", text, _command)
    arguments.add_out(parser)


def _command(options) -> None:
    folder = arguments.folder(options.out, "")
    for name, finding in findings(folder):
        print(f"{name:10} {finding}", flush=True)
    files.require_writable(folder)
    print(f"{'writing':10} {folder} can be written")


def findings(folder: Path) -> Iterator[tuple[str, str]]:
    """What there is, by name, for results in this folder.

    Raises:
        UsageError: no worker process can be started.
    """
    known = pinned(ROOT / "constraints.txt")
    yield "python", platform.python_version()
    for name in PACKAGES:
        version = importlib.metadata.version(name)
        good = known.get(name, version)
        yield name, version + ("" if version == good else f" (last tested with {good})")
    made = provenance()
    yield "commit", made["commit"] + (" with changes" if made["dirty"] == "true" else "")
    yield "flags", " ".join(f"{n}={os.environ[n]}" for n in FLAGS if n in os.environ) or "none"
    yield "settings", made["jax_settings"] or "as usual"
    with Workers(loops=False) as workers:
        count = len(workers)
        yield "device", f"{workers.device}, {count} worker process{'es' if count > 1 else ''}"
    yield "memory", memory()
    yield "disk", f"{gigabytes(shutil.disk_usage(existing(folder)).free)} free"


def memory() -> str:
    """How much there is, and whether it is enough for a worker on each core."""
    names = ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES")
    if not all(name in getattr(os, "sysconf_names", {}) for name in names):
        return "this system does not say"
    free, total = (os.sysconf("SC_PAGE_SIZE") * os.sysconf(name) for name in names)
    wanted = WORKER_BYTES * len(usable_cores())
    hint = "" if free >= wanted else f"; workers may want {gigabytes(wanted)}"
    return f"{gigabytes(free)} of {gigabytes(total)} free{hint}"


def gigabytes(size: float) -> str:
    """A size in bytes, for a person."""
    return f"{size / 1e9:.1f} GB"


def existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def pinned(path: Path) -> dict[str, str]:
    """Versions that a file of constraints names, by package; none without the file."""
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split("==", 1) for line in lines if line.count("==") == 1)
