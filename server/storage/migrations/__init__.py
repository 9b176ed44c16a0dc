"""Alembic migrations; package data, so that an installed wheel can make and upgrade its tables."""
