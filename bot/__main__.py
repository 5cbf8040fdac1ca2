"""Run the command `cobrowse-bot` for `python -m bot`."""

from bot.cli.commands import main

main()
