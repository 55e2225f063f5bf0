"""Contract suites over every implementation."""
