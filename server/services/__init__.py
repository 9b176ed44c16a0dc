"""What the server does for people: one call is one transaction."""
