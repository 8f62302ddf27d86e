"""Names of official point-cloud checkpoints."""
