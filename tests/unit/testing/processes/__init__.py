"""Fleets of real processes."""
