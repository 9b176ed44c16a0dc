"""The pages of products and settings."""
