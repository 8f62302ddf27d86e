"""Pictures of point clouds."""
