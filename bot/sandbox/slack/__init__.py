"""Run a small Slack on localhost."""
