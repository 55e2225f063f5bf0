"""Tests of ``trio_argoagent.demo``."""
