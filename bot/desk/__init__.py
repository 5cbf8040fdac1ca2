"""The core: who may start which session for whom, and what becomes of a request. Knows neither Slack, HTTP nor SQL."""
