"""Serve HTTP: the health endpoints, and the page to which Genesys redirects the browser after a sign-in."""
