"""Commands of the server's part; heavy imports stand in their bodies."""
