"""Conversations in files that people can read."""
