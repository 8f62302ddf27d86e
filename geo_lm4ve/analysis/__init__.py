"""What a block does to the tokens: information filtering."""
