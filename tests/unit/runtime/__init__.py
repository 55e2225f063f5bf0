"""Tests of ``trio_argoagent.runtime``."""
