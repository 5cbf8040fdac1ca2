"""Watch open sessions. Tell people when the customer joins a session and when the session is over."""
