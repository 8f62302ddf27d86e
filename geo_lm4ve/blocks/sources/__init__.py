"""Where layers of language models are read from: one file per kind of source, each giving a Checkpoint."""
