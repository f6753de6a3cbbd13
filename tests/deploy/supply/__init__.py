"""Tests of the bill of materials and of the judge of advisories."""
