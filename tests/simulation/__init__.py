"""Whole fleets in virtual time, judged from the API servers' logs."""
