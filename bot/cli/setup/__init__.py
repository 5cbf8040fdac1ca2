"""Define the commands `init` and `keygen`, which write settings and keys."""
