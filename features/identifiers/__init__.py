"""What a stated text identifies: a function for each kind of identifier, over one text, total and linear in its length.

A function returns the key that all ways of writing an identifier have in common, or None where it names nobody:
a placeholder, a test value, the host of a marketplace, the telephone of a carrier. The
tables beside the modules are data with source and date (docs/how-to/extend-identifiers.md).
"""
