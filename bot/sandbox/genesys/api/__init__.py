"""Serve the API endpoints of the sandbox's Genesys."""
