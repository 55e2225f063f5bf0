"""The pages for users: README, ARCHITECTURE, CONTRIBUTING and docs/."""
