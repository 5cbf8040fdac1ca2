"""Store sessions, linked accounts, notices and other data for the core, in SQLite or Postgres.

Each class runs SQL statements of `sql/`. bot/core/ports.py describes its methods.
"""
