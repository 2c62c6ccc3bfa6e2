"""The net of Gers, Schmidhuber & Cummins 2000: memory-cell blocks with forget gates."""
