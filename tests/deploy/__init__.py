"""Tests of what is shipped beside the packages, with the real programs."""
