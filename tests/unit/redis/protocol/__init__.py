"""The pure part of it."""
