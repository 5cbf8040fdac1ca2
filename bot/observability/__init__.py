"""Write logs, metrics, traces and the audit log."""
