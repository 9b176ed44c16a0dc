"""The log as a stranger sees it: tree hashes, signed heads and proofs, checked offline (docs/protocol.md §3)."""
