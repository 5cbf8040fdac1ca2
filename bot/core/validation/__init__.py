"""Check and clean text from people and services (pure)."""
