"""Sign in to Genesys as the bot and as users."""
