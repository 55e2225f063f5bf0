"""Tests of trio_argoagent.agent."""
