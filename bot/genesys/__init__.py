"""Call Genesys Cloud: sign in, send calls within the rate limits, and read the answers."""
