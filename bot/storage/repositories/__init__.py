"""Store sessions, linked accounts, notices and other data, in SQLite or Postgres, with the SQL statements of `sql/`."""
