"""Unit tests of the values."""
