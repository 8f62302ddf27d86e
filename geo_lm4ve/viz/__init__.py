"""Pictures: PNG and self-contained HTML."""
