"""Preparers of ScanQA and SQA3D: what their commands take, and what they say."""
