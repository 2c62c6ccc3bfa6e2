"""The networks of 1997 and their gradient, proven against the equations of the appendix."""
