"""Serve HTTP: the health endpoints, and the page after a Genesys sign-in."""
