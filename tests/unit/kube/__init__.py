"""Tests of ``trio_argoagent.kube``."""
