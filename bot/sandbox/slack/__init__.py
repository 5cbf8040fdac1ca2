"""Run a small imitation of Slack on localhost."""
