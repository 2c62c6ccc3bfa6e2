"""The nets and the learning procedures that Hochreiter & Schmidhuber 1997 compare theirs with."""
