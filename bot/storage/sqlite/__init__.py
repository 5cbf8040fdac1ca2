"""Store requests, sessions, host links and linked accounts in one SQLite file, for one process."""
