"""Find the Genesys host of a Slack user."""
