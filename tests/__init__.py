"""Tests: unit, integration, e2e, resilience, the sandbox, documents and packaging; `support` is what they share."""
