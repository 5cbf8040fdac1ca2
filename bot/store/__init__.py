"""What is remembered about requests. Today in memory; the Protocol it keeps to stands in desk/desk.py."""
