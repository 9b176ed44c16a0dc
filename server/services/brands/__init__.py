"""What a brand publishes and sets: keyring, products, settings, previews of their effect."""
