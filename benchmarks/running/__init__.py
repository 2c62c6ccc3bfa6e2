"""Processes, rows on disk, progress, the search for settings, cells of users."""
