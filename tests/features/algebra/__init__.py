"""The words in which features are written."""
