"""ScanNet's files (meshes, annotations, alignment, label table) read into values, and prepared rooms made of them."""
