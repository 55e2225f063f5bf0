"""Tests of ``trio_argoagent.cli``."""
