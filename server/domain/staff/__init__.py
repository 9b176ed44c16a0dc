"""What accounts and tokens may do, and how long a refused login waits. Pure."""
