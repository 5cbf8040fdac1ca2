"""Call Slack's Web API and response_urls."""
