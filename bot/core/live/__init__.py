"""Look at open sessions in the background, and tell people when the customer joins or the session is over."""
