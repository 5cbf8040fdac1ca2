"""Start co-browse sessions from a Slack command. This is the package of the program `cobrowse-bot`."""

__version__ = "0.1.0"
