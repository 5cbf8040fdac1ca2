"""Read files of secrets, and the file of workspaces, again when a file changes while the bot runs."""
