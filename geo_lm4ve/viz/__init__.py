"""Pictures: PNG and self-contained HTML. All functions take plain numbers, arrays and texts."""
