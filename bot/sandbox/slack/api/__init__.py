"""Implement the Web API of the sandbox's Slack."""
