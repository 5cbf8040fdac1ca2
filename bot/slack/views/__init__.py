"""Build modals and the Home tab, and parse what people submit in modals. This package calls no service."""
