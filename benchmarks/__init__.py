"""Measure the cost of a command: the bot beside a bare server and plain Bolt, on one machine. See README.md."""
