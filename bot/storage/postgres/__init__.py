"""Store everything in Postgres, for several replicas."""
