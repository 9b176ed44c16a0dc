"""The code itself: its text, serial, tag and strict parser (docs/format.md §2 and §3)."""
