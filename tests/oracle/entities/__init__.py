"""Entities, evidence and linking as expressions over polars frames, as of commit 63526f8.

They are as they were but for import paths; `mapping.py` was features/identifiers/columns.py. The functions of single
texts (features/identifiers), the graph and the weighing of evidence are today's. They go when calls are computed over
columns from end to end, and a release has passed with it.
"""
