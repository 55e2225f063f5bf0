"""The tests, by layer; see CONTRIBUTING.md."""
