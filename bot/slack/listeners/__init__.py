"""Handle payloads from Slack: read each one, submit a request, acknowledge."""
