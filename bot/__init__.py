"""cobrowse-bot: a co-browse session from a Slack command."""

__version__ = "0.1.0"
