"""What a brand chooses for its pages. Pure."""
