"""The pattern of letters that the features of the declaration took from features/comparable.py."""

LETTERS = r"\p{L}+"
