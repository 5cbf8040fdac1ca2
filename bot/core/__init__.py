"""The rules of the bot. Nothing here knows Slack, HTTP or SQL."""
