"""The synthetic long-time-lag tasks: each samples one sequence from a PRNG key.

A task is one frozen dataclass that follows `tasks.sequence.Task`. It knows nothing of cells,
learners or benchmarks.
"""
