"""Former code, kept as it was while its successor is new: what the tests compare with."""
