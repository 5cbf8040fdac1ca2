"""Get access tokens from Genesys: the bot's own token, and the tokens of people who signed in."""
