"""The shipped manifests."""
