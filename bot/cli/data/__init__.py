"""Look after the database and the data about people in it."""
