"""Run small imitations of Slack and Genesys Cloud on localhost, and connect the real bot to both."""
