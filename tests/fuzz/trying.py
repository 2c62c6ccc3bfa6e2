"""Many made-up inputs, of which each works or is refused in one line."""

import contextlib
import io

import pytest
from hypothesis import HealthCheck, given, settings

from benchmarks.errors import UsageError

COUNTS = [500, pytest.param(10_000, marks=pytest.mark.nightly)]
"""How many inputs are tried: in `make test` the same ones each time, at night others."""


def tried(count, strategy, check):
    """Checks so many inputs."""
    chosen = settings(
        max_examples=count,
        derandomize=count == COUNTS[0],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    chosen(given(strategy)(check))()


@contextlib.contextmanager
def refused_in_one_line():
    """Lets a `UsageError` pass that can be told in one line, and nothing else."""
    text = ""
    try:
        yield
    except UsageError as error:
        text = str(error)
    assert "\n" not in text
    assert len(text) < 3000


@contextlib.contextmanager
def printed():
    """What is printed meanwhile: output and errors."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        yield out, errors
