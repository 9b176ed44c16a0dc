"""Signed documents and what they hold: the keyring, its records, prefixes and successions."""
