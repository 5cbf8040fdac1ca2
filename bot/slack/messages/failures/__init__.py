"""Render what an error message offers besides its sentences."""
