"""Make `python -m bot` the same as the command `cobrowse-bot`."""

from bot.cli.commands import main

main()
