"""The embedded API server over HTTPS."""
