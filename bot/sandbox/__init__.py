"""Run a small imitation of Slack and of Genesys on localhost, and connect the real bot to both."""
