"""Generated images: pictures of solids before clutter, with masks."""
