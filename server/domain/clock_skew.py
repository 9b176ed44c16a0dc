"""Maximum clock skew between servers."""

from datetime import timedelta

CLOCKS_APART = timedelta(minutes=1)
"""A refused try up to this far ahead still counts; one further ahead is from before a clock was set back."""
