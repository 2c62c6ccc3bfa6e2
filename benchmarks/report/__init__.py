"""Pages and figures of what has been run."""
