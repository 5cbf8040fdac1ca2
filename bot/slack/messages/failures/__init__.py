"""Render what an error message offers to its reader besides its sentences: buttons."""
