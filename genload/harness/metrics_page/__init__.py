"""A run as metrics: what the live views tell, for a Prometheus that watches it (docs/metrics.md)."""

from genload.harness.metrics_page.page import MetricsPage

__all__ = ["MetricsPage"]
