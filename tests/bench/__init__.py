"""Measurements, each with its peer in the same run; never part of the test suite. `make bench` runs them."""
