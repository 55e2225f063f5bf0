"""Programs of others, against ours."""
