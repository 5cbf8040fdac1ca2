"""Store requests, sessions, host links and accounts: in SQLite for one process, in Postgres for several replicas."""
