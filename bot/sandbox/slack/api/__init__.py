"""Imitate the methods of Slack's Web API."""
