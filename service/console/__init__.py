"""The console: where people see why, and say what they found."""
