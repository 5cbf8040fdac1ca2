"""Call Genesys Cloud: sign in, send requests within the rate limits, and read the answers."""
