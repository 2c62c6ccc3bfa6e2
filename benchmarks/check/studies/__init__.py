"""Studies of the benchmark itself; each is a program that writes its part of a document."""
