"""The rules of the bot. No module here calls Slack, sends HTTP requests or uses SQL."""
