"""What an experiment is, and the compiled programs that train it."""
