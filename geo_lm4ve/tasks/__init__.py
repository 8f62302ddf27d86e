"""Tasks: batch -> loss, metrics, per-item records, report."""
