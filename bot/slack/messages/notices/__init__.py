"""The messages that several people get about one matter, and that change as it goes on."""
