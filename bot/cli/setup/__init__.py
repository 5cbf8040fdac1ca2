"""Define the command `init`, which writes settings, and the command `keygen`, which creates keys."""
