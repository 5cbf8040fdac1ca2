"""Define the commands that manage the database and the stored data about people."""
