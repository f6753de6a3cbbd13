"""The sub-commands of `tamis` that are more than a call of one function."""
