"""Define the commands that manage the database and the data about people in it."""
