"""The benchmark: experiments, the program that trains their trials, results and tables."""
