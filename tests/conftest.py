"""Tests compile much and run little, so they compile in haste; programs with options of their own
(`benchmarks.xla`) keep them. Commands that tests start inherit it."""

import os

os.environ["XLA_FLAGS"] = (
    f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0".strip()
)
