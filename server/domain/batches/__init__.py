"""Acts on ranges of a batch, and what they make of one unit. Pure."""
