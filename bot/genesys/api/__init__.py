"""Call the Genesys endpoints for sessions, conversations, users, permissions, messages and notification channels."""
