"""Render results and errors as Slack messages (pure)."""
