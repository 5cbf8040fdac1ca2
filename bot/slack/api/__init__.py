"""Call Slack's Web API, and post to response_urls."""
