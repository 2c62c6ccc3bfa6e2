"""From rows to numbers and tables: pure functions of DataFrames."""
