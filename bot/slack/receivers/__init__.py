"""Receive payloads from Slack, over HTTP or Socket Mode."""
