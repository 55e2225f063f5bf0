"""Tests of the simulated Argo CD."""
