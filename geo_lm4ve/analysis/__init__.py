"""What a block does to tokens."""
