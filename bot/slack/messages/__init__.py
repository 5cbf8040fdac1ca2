"""Render results and errors as Slack messages. No module here does I/O."""
