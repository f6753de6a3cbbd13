"""Numbered changes of the store's schema, each a file in `versions/`: Alembic orders and runs them."""
