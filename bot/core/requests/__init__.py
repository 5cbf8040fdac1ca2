"""Accept requests, process them, store their results, and take over requests after a crash."""
