"""Run a small Genesys Cloud on localhost."""
