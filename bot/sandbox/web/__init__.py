"""The sandbox's page: its server and what it shows."""
