"""Deliver payloads to the bot over Socket Mode or signed HTTP."""
