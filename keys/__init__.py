"""Keys: signing, serial and MAC keys, the signed keyring that publishes them, and the encrypted files that keep them.

The lowest of the four packages: it imports none of the others, and only it imports `cryptography` and `nacl`.
"""
