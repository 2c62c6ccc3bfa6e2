"""Tests compile much and run little, so they compile quickly, and what is the same only once.

Commands that tests start, and the other workers of pytest-xdist, inherit all of this.
"""

import gc
import os
import signal
import tempfile
from pathlib import Path

import pytest

os.environ["BENCHMARKS_XLA"] = "0"  # tests/learning/test_xla.py looks at what that leaves out
QUICK_COMPILE = (
    "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
    " --xla_cpu_parallel_codegen_split_count=1"  # small programs come in few parts
)
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {QUICK_COMPILE}".strip()
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    _compiled = tempfile.TemporaryDirectory(prefix="compiled-")  # removed at the end
    os.environ["JAX_COMPILATION_CACHE_DIR"] = _compiled.name
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.3"


def pytest_collection_finish():
    """Collecting garbage takes part of every compilation; what is imported is none.

    A whole collection looks at all programs that were compiled so far, and finds next to nothing.
    """
    gc.freeze()
    youngest, middle, _ = gc.get_threshold()
    gc.set_threshold(youngest, middle, 200)


MAPS = Path("/proc/self/maps")
MANY = 25_000


@pytest.fixture(autouse=True, scope="module")
def _few_memory_maps():
    """Compiled programs take memory maps, of which Linux allows a process 65,530."""
    yield
    if MAPS.exists() and MAPS.read_bytes().count(b"\n") > MANY:
        import jax  # here: only once the environment is as it should be

        jax.clear_caches()


def pytest_collection_modifyitems(items):
    """Files that start processes come first, so that no core is left alone with one at the end."""
    first = ("cli", "running", "report", "python")
    items.sort(key=lambda item: item.path.parent.name not in first)


@pytest.fixture(scope="module")
def one_worker():
    """Runs train in one worker, where a second would only compile the same again.

    It has a core of its own for each worker of pytest-xdist, which would wait for each other else.
    """
    from benchmarks.running import workers  # here: as above

    cores = sorted(os.sched_getaffinity(0))
    core = cores[int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % len(cores)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "usable_cores", lambda: [core])
        yield


@pytest.fixture
def _hears():
    """Signals as in a terminal; who starts the tests in the background may have them ignored."""
    usual = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
