"""Render results and errors as Slack messages. Nothing here calls Slack or another service."""
