"""Has learning got worse? Verdicts, baseline, and studies of how well the check works."""
