"""Call the Genesys endpoints that the bot needs."""
