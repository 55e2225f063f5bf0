"""Tests of trio_argoagent.replication."""
