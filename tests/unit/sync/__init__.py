"""Tests of the pure replication core."""
