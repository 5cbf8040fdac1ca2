"""Build modals and the Home tab, and parse what people submit in them. Nothing here calls Slack or another service."""
