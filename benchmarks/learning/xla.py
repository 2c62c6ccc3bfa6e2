"""Compiler settings for small programs and many small steps, all in one place.

They change how programs are compiled and, of trained weights, the last bits, but not what is
computed; `BENCHMARKS_XLA=0` in the environment turns them off.
"""

import os
from collections.abc import Iterable

ON = os.environ.get("BENCHMARKS_XLA", "1") != "0"

LOOP_OPTIONS = {
    "xla_cpu_experimental_ynn_fusion_type": "",
    "xla_cpu_prefer_vector_width": 512,
    "xla_cpu_multi_thread_eigen": False,
}
"""Options of a compiled loop on a CPU: fuse whole steps, full vector registers, no threads."""

DRAWING_OPTIONS = {"xla_cpu_prefer_vector_width": 512, "xla_cpu_use_fusion_emitters": False}
"""Options of programs that draw sequences for many lanes on a CPU."""

QUICK_COMPILE_OPTIONS = {"xla_backend_optimization_level": 1, "xla_cpu_use_fusion_emitters": False}
"""Options of programs on a CPU that take longer to compile than they run in all."""

LANE_OPTIONS = LOOP_OPTIONS | {"xla_backend_optimization_level": 1}
"""Options of a few lanes of small networks on a CPU: without YNNPACK and without threads,
small products are written into the code."""

NEVER_COMPILED = frozenset({14, 15})
"""Sizes of matrices whose products with batches of 20, written into the code, LLVM optimises until
memory ends (17 GB were seen); tried with jax 0.10.2 for all sizes up to 48 and some up to 64."""

LOOP_FLAG = (
    "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000000,"
    "-unroll-full-max-count=7"
)
"""Compiles a whole loop into one kernel, and leaves 8 and 16 lanes to the vectoriser as a loop. For
a whole process only, and minibatch learners with many weights are slower with it."""


def loop_options(backend: str) -> dict | None:
    """Compiler options for a program that is one long loop of small steps."""
    return LOOP_OPTIONS if ON and backend == "cpu" else None


def drawing_options(backend: str) -> dict | None:
    """Compiler options for a program that draws sequences with trials in the last axis."""
    return DRAWING_OPTIONS if ON and backend == "cpu" else None


def quick_compile_options(backend: str) -> dict | None:
    """Compiler options for programs that draw initial weights, or sequences a few at a time."""
    return QUICK_COMPILE_OPTIONS if ON and backend == "cpu" else None


def lane_options(backend: str, sizes: Iterable[int] = ()) -> dict | None:
    """Compiler options for programs that train some small networks by automatic differentiation.

    Args:
        backend: what they run on.
        sizes: of all axes of the weights.
    """
    return LANE_OPTIONS if ON and backend == "cpu" and NEVER_COMPILED.isdisjoint(sizes) else None


def set_loop_flag() -> None:
    """Compiles loops into single kernels from here on; only before jax computes anything."""
    if ON:
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {LOOP_FLAG}".strip()
