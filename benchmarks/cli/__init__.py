"""The command line: one file for each command, each calling functions with ordinary arguments."""
