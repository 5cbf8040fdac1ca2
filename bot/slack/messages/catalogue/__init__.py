"""Hold every sentence that people read in Slack, one catalogue entry for each, ready for translation (pure)."""
