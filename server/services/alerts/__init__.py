"""Alerts: evaluated with each attempt, worked by staff."""
