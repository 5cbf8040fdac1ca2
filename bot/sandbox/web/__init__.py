"""Serve the sandbox's page."""
