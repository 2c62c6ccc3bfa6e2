"""Recurrent cells and the network around them.

A cell is a `flax.nnx.RNNCellBase` for one sequence; it knows nothing of tasks or benchmarks.
"""
