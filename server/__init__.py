"""The verification server: one burn for each code, what shoppers read, and what brand staff watch."""
