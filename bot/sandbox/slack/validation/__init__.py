"""Check blocks, messages and views against Slack's limits."""
