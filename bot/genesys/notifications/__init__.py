"""Receive Genesys's notifications that conversations have changed."""
