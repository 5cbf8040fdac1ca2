"""The commands of `cobrowse-bot`."""
