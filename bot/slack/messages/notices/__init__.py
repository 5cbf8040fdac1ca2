"""Render notices: messages about one matter, such as a fault, that the bot edits as the matter goes on."""
