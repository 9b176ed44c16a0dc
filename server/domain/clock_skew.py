"""How far apart moments may lie that are compared as if taken at once."""

from datetime import timedelta

CLOCKS_APART = timedelta(minutes=1)
"""How far ahead of the present time a refused try may stand and count: requests that run at the same time, and servers,
have moments of their own. What stands further ahead is from before a clock was set back, and says nothing of now."""
