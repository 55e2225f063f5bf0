"""The patterns of docs/structured-concurrency.md: each is shown at work, and then taken away."""
