"""A small Genesys Cloud on localhost."""
