"""The Python face: what `import benchmarks` offers (docs/PYTHON.md)."""
