"""What a code's state is, its holder, and the secrets that show it. Pure."""
