"""Features as expressions over polars frames, as of commit ce1beb4: definitions, fits, assembling and the matrix.

They are as they were but for import paths; readings of history are today's, which have an oracle of their own. They go
when calls are computed over columns from end to end, and a release has passed with it.
"""
