"""A small Slack on localhost."""
