"""Pictures of scans with the questions asked about them: PNG and one HTML page."""
