"""Tests of ``trio_argoagent.testing.scenario``."""
