"""The Merkle log: entries, signed heads and proofs."""
