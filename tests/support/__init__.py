"""Share helpers among tests: real servers on localhost, real databases, clocks and people."""
