import contextlib
import errno
import os

import pytest


@pytest.fixture
def full_disk(monkeypatch):
    """A context in which nothing can be put on disk."""

    @contextlib.contextmanager
    def full():
        def fails(_):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fails)
            yield

    return full()
