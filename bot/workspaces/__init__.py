"""Serve several workspaces in one process, each apart from the others."""
