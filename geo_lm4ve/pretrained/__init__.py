"""Official checkpoints -> our names, with a grouped report."""
