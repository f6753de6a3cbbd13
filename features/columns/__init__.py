"""The feature functions, by the kind of thing that they speak of."""
