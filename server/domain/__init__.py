"""The rules of the one-time code: no Flask, no SQLAlchemy, no clock, no files."""
