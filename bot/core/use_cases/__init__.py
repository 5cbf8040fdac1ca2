"""One module for each group of things that people can do with the bot."""
