"""What tests share: real servers on localhost, real databases, clocks and people."""
