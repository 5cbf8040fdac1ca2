"""Serve HTTP: the health endpoints, and the page that a person sees after a sign-in to Genesys."""
