"""A small Slack and a small Genesys on localhost, and the real bot connected to them."""
