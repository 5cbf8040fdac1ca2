"""Read secrets again when their files change, while the bot runs."""
