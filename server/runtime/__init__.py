"""What one worker holds in memory: its context, caches, counters, limits, places and pseudonyms."""
