"""The record as it was over frames and through SQLAlchemy, unchanged but for imports: what today's is compared with."""
