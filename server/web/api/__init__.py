"""The HTTP interface for programs: JSON in, JSON or a problem document out, no cookies, no CORS."""
