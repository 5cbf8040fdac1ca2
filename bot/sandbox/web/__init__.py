"""Serve the sandbox's page, on which a person tries the bot in a browser."""
