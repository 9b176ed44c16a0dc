"""Batches: registered, changed by range acts, undone by staff."""
