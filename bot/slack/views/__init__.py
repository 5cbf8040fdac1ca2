"""Build modals and the Home tab, and parse what people submit in them. No module here does I/O."""
