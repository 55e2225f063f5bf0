"""Metrics: the table, the text, and what a scrape shows."""
