"""The same suites against real API servers, which are built from Go modules; ``make interop`` runs them."""
