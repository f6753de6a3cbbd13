"""Process runtime: periodic work, tuning, and leases of batch runs."""
