"""Get access tokens from Genesys: the bot's own token, and tokens of users who signed in."""
