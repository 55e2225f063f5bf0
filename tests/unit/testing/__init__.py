"""Tests of the shipped kit."""
