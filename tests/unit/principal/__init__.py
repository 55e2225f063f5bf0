"""Tests of trio_argoagent.principal."""
