"""Pure functions on tensors: sampling, neighbours, grouping, frames, meshes."""
