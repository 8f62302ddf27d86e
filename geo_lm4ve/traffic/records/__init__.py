"""What a scene file says: tracks, motion, vector map, drivable area."""
