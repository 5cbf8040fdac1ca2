"""Render notices: messages about a fault, a request for access or another situation that can change.

The bot updates the messages when the situation changes.
"""
