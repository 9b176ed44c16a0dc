"""The pages that the brand's staff see: alerts, batches, the history of one code, and what staff did."""
