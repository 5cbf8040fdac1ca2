"""Render notices: messages about a fault, a request for access or another matter that can change.

When the matter changes, the bot updates the messages.
"""
