"""The database: SQLite for one process, Postgres for several replicas."""
