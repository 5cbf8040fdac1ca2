"""`python -m bot` is `cobrowse-bot`."""

from bot.cli.commands import main

main()
