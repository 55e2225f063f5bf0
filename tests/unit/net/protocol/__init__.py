"""Tests of net.protocol."""
