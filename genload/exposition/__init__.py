"""Metrics pages in the Prometheus text format: fetched within bounds, read only as far as asked for."""
