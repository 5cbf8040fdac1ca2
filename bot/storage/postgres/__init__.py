"""The store in Postgres, for several replicas."""
