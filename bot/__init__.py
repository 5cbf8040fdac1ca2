"""Start co-browse sessions from a Slack command: the package of cobrowse-bot."""

__version__ = "0.1.0"
