"""Tests of the pure core of the embedded API server."""
