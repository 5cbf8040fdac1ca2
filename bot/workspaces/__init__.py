"""Serve several workspaces in one process. A failure in one workspace does not stop the others."""
