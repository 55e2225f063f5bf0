"""Tests of what a link speaks."""
