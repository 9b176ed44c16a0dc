"""Secrets at rest: key files and stores, passphrases, a brand's foundation, keys sent to a server."""
