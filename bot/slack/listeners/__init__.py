"""Handle what people do in Slack: read it, submit it, acknowledge it."""
