"""The machine: what it is, and the most arithmetic and copying that it was seen to do."""

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.learning.provenance import provenance
from benchmarks.running.workers import usable_cores
from benchmarks.speed.reference import compiler
from benchmarks.speed.torch_case import torch_or_missing


def origin() -> dict[str, str]:
    """Columns that say what made a row: versions, device, commit, processor, load before it."""
    return provenance() | {
        "torch": _version("torch"),
        "compiler": _compiler_version(),
        "cpu": _processor(),
        "cores": str(len(usable_cores())),
        "load": f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "",
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _compiler_version() -> str:
    program = compiler()
    if not program:
        return ""
    done = subprocess.run([program, "--version"], capture_output=True, text=True)
    return done.stdout.partition("\n")[0]


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


@dataclass(frozen=True)
class Product:
    """Product of two square float32 matrices by XLA.

    Attributes:
        size: rows of each.
    """

    size: int

    @property
    def amount(self) -> float:
        """Floating point operations."""
        return 2.0 * self.size**3

    def prepare(self) -> Callable[[], object]:
        """Two matrices of ones."""
        ones = jnp.ones((self.size, self.size), jnp.float32)
        product = jax.jit(jnp.matmul)
        return lambda: product(ones, ones).block_until_ready()


@dataclass(frozen=True)
class TorchProduct:
    """Product of two square float32 matrices by PyTorch, with a thread for each core.

    Attributes:
        size: rows of each.
    """

    size: int

    amount = Product.amount

    def prepare(self) -> Callable[[], object]:
        """Two matrices of ones.

        Raises:
            MissingError: PyTorch is not installed.
        """
        torch = torch_or_missing()
        ones, threads = torch.ones(self.size, self.size), len(usable_cores())

        def multiply() -> None:
            torch.set_num_threads(threads)
            torch.mm(ones, ones)

        return multiply


@dataclass(frozen=True)
class Copy:
    """Copy of an array too large for the caches.

    Attributes:
        bytes: size of the array.
    """

    bytes: int

    @property
    def amount(self) -> float:
        """Bytes read and bytes written."""
        return 2.0 * self.bytes

    def prepare(self) -> Callable[[], object]:
        """Two arrays whose pages are there."""
        here, there = (np.full(self.bytes, n, np.uint8) for n in range(2))
        return lambda: np.copyto(there, here)
