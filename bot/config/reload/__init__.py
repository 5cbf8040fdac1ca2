"""Watch the files of secrets and the file of workspaces while the bot runs, and read a changed file again."""
