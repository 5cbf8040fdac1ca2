"""Build modals and the Home tab, and read what people filled in (pure)."""
