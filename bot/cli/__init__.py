"""Define the commands of `cobrowse-bot`."""
