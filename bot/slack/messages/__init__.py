"""Render results and errors as Slack messages. This package calls no service."""
