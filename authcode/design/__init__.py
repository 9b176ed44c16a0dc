"""Stage 2, print: what a batch's symbols look like: level, size, logo, and how much damage they tolerate."""
