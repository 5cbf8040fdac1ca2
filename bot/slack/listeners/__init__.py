"""Handle payloads from Slack: read each payload, submit a request, acknowledge the payload."""
