"""`python -m bot` is `cobrowse-bot`."""

from bot.cli import main

main()
