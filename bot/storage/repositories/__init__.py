"""Implement the repositories of `core` with the SQL statements of `sql/`, for SQLite and Postgres."""
