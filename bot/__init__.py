"""Start co-browse sessions from a Slack command: cobrowse-bot."""

__version__ = "0.1.0"
