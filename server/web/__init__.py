"""Pages, API and dashboard: HTTP in, services called, HTTP out."""
