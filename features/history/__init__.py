"""What happened before a moment: facts, tiles, windows, and how their totals are read."""
