"""What one worker keeps in memory: its context, caches, counters, limits, places and pseudonyms."""
