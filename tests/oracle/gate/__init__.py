"""Gate, fold and data problems as expressions over polars frames, as of commit 63526f8.

They are as they were but for import paths and entities, which have a stage of their own. They go when calls are
computed over columns from end to end, and a release has passed with it.
"""
