"""Look after what the database holds about people."""
