"""Export: what is on record as plain Parquet tables, for DuckDB, pandas, polars and whatever else reads Parquet."""
