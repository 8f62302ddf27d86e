"""What a detection in rooms is worth: suppression, which proposals are found objects, average precision."""
