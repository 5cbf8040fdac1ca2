"""What must survive, in SQLite or Postgres. The Protocols both keep to stand in desk/store.py."""
