"""Commands of the issuing side; each is plugged in by its entry point."""
