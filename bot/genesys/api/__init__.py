"""The Genesys endpoints that the bot calls."""
