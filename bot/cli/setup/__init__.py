"""Set the bot up: ask for the settings, write .env, make keys."""
