"""The one HTTP client, and what a print station sends by it; a station owns no database."""
