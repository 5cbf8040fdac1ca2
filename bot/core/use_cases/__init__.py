"""The things that people can do with the bot, one module for each group."""
