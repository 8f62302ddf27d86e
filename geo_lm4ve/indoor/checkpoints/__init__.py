"""Names of published checkpoints of models that answer questions about scans."""
