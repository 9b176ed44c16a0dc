"""Commands of the server's part; heavy imports are inside the functions."""
