"""The client of Genesys Cloud."""
