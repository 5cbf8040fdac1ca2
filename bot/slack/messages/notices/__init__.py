"""Render notices: messages about a matter that goes on, such as a fault. The bot updates them until it is over."""
