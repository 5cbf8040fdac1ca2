"""Learn from Genesys's notifications that a conversation changed."""
