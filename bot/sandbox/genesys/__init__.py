"""Run a small imitation of Genesys Cloud on localhost."""
