"""Connect the bot to Slack: receive payloads, render messages, call the Web API."""
