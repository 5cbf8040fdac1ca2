"""Watch open sessions, and tell their agents when the customer joins and when the session is over."""
