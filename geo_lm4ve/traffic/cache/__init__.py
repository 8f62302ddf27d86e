"""Scenes packed into shards on disk."""
