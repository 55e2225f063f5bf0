"""One entry file for each question."""
