"""Implement the repositories of the core with the statements of `sql/`. They work with SQLite and with Postgres."""
