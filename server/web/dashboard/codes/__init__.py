"""The pages of single codes."""
