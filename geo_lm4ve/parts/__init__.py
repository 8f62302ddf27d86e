"""The four contracts to read before adding anything: data source, encoder, head, task."""
