"""Write logs, metrics and the audit log."""
