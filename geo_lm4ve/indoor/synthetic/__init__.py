"""Made-up rooms: furniture out of triangles, scans in ScanNet's layout, questions in those of ScanQA and SQA3D."""
