"""Check the connection to Slack, the installed Slack app, and what the bot can read from Slack."""
