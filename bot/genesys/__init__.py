"""The client for Genesys Cloud."""
