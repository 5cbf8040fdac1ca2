"""Check and clean what people and services write (pure)."""
