"""Define the commands that set the bot up: ask for the settings, write .env, make keys."""
