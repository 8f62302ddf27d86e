"""Generated meshes: household and mechanical parts, with surface samples."""
