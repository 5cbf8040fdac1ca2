"""What a command costs: the bot beside a bare floor and Bolt's own, on one machine in one run. See README.md."""
