"""The regression check: verdicts, baseline, and studies of how well it works."""
