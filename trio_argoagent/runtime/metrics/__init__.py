"""Metrics of both programs, in Prometheus' text format.

``rows`` says what a metric is, ``table`` which there are; ``sheet`` is what one scrape writes on,
``exposition`` hands it out. Nothing is counted here but what the slices count for themselves: a scrape reads
their ``statistics()``, and costs nothing while nobody scrapes.

``prometheus_client`` is not used: importing it costs an agent 1.8 MiB for good, its registry is rendered in
one go (a thousand agents would stop the event loop for a fifth of a second), and the format is three kinds of
lines. The tests read what is written here with its parser.
"""
