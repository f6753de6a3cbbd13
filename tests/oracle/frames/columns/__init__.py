"""The feature functions as they were."""
