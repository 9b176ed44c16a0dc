"""Untrusted pictures are read in processes of their own (docs/adr/0017)."""
