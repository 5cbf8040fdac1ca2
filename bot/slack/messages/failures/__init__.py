"""Build the buttons of error messages."""
