"""What a code's state is, who holds it, and the secrets that show it. Pure."""
