"""Run a small Slack and a small Genesys on localhost, and connect the real bot to them."""
