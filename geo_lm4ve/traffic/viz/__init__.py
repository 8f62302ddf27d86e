"""Pictures of traffic scenes."""
