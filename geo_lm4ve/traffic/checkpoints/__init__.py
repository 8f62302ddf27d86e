"""Names of official forecasting checkpoints."""
