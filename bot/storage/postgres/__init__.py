"""Store requests, sessions, host links and linked accounts in Postgres, for several replicas."""
