"""One module for each thing that people can do."""
