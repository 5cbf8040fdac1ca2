"""Serve HTTP: the health endpoints, and the page where a Genesys sign-in ends."""
