"""Hold every sentence that people read in Slack, as an entry that translators can translate (pure)."""
