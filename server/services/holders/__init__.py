"""What the holder of a verification does, and how a keep-code shows them."""
