"""Implement the repositories of the core with the statements of `sql/`, for both databases."""
