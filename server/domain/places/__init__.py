"""Places, countries and time zones. Pure."""
