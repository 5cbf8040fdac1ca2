"""The endpoints of the sandbox's Genesys."""
