"""What stands between the adapters: frozen layers of language models, and the paper's controls."""
