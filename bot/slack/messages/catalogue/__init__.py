"""Hold all sentences that people read in Slack, as entries that translators can translate (pure)."""
