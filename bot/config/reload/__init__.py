"""Read the files of secrets and the file of workspaces again when they change, while the bot runs."""
