"""Hold every sentence that a person reads: one entry for each, in one place, ready for translation (pure)."""
