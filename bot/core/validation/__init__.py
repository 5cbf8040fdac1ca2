"""Check and clean texts from people and services (pure)."""
