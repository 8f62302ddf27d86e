"""What training minimises: VoteNet's losses of a detection, ScanQA's and SQA3D's of answers."""
