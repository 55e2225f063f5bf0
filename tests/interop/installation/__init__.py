"""The shipped manifests as an installation: applied to servers that ask the rules, and run as processes."""
