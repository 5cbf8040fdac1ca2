"""Store requests, sessions, host links and linked accounts in SQLite (one process) or Postgres (several replicas)."""
