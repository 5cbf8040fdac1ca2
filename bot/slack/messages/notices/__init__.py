"""Render notices: messages about a matter that goes on, such as a fault.

The bot updates a notice until the matter is over.
"""
